import { createApiClient } from '../client/http/api-client.js';
import type { OpenWorkReply } from '../client/http/open-work.js';
import type { PerdureConfig } from '../perdure.config.js';
import { note } from '../oversight/check.js';
import { depthText } from '../oversight/queue-depth.js';
import { currentSupervisor } from '../infra/embedded/supervision/supervisor-lock.js';
import { stackIdentityOf, stackOf } from './addressed-stack.js';
import { duration } from './format/time.js';

/** A status that waits is none. */
const answerWithinMs = 200;
/** What is older is shown with its age. */
const oldMs = 5_000;

const nothing: OpenWorkReply = { asOf: null, waiting: null, troubles: [] };
const unknown = (finding: string): OpenWorkReply => ({
  ...nothing,
  troubles: [note('open work', finding, 'Try again, or check the servers directly: perdure doctor.')],
});

/** What waits and what is stuck, as the control API of the home's stack knows it; nothing where no stack runs. */
export async function openWorkOf(config: PerdureConfig, env: NodeJS.ProcessEnv): Promise<OpenWorkReply> {
  const running = currentSupervisor(config.home) ? stackOf(config) : undefined;
  if (!running?.ready) return nothing;
  const api = createApiClient(running.addresses.api, stackIdentityOf(config, env));
  const late = `the control API has not answered within ${answerWithinMs} ms`;
  const work = await api.openWork(answerWithinMs).catch(() => unknown(late));
  return work.asOf === null && work.troubles.length === 0 ? unknown('the first check is still running') : work;
}

export function openWorkText({ waiting, asOf }: OpenWorkReply, now: Date): string[] {
  if (!waiting || asOf === null) return [];
  const age = now.getTime() - Date.parse(asOf);
  return [`\nWaiting${age > oldMs ? ` (${duration(age)} ago)` : ''}: ${depthText(waiting)}.`];
}
