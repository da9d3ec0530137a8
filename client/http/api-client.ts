import type { StackIdentity } from '../../domain/stack-identity.js';
import { askerOf } from './calls/ask.js';
import { dataCalls } from './calls/data-calls.js';
import { registryCalls } from './calls/registry-calls.js';
import { rolloutCalls } from './calls/rollout-calls.js';

export type { PutData, RemoveData } from './calls/data-calls.js';
export type { PromotionQuery } from './calls/rollout-calls.js';
export type ApiClient = ReturnType<typeof createApiClient>;

/**
 * The control API, typed. Every function throws a PerdureError: `server/unreachable` when nothing answers, otherwise
 * what the API said.
 * @param baseUrl for example `http://127.0.0.1:7400`
 * @param stack which stack is meant; another one at that address refuses. Without it, whichever answers there.
 */
export function createApiClient(baseUrl: string, stack?: StackIdentity) {
  const ask = askerOf(baseUrl, stack);
  return { baseUrl, ...registryCalls(ask), ...dataCalls(ask), ...rolloutCalls(ask) };
}
