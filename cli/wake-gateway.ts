import { setTimeout as delay } from 'node:timers/promises';
import type { ApiClient } from '../client/http/api-client.js';
import type { Environment } from '../domain/names.js';
import { PerdureError } from '../domain/errors.js';

/** A cold start on a busy machine. */
const aliveWithinMs = 120_000;
const askEveryMs = 250;

interface Wake {
  api: Pick<ApiClient, 'startGateway'>;
  actor: string;
  /** Told once, where it has to be waited for. */
  say(text: string): void;
  signal: AbortSignal;
}

/** Starts the gateway of an environment that starts on demand and waits until it is alive; at once where it is. */
export async function wakeGateway(environment: Environment, { api, actor, say, signal }: Wake): Promise<void> {
  const deadline = Date.now() + aliveWithinMs;
  for (let asked = 0; ; asked += 1) {
    const { live } = await api.startGateway({ environment, actor });
    if (live) return;
    if (asked === 0) say(`Starting the gateway of ${environment}`);
    if (Date.now() > deadline)
      throw new PerdureError(
        'server/unreachable',
        `The gateway of ${environment} did not start within ${aliveWithinMs / 1000} s. See \`perdure status\` and ` +
          `its log: gateway-${environment}.`,
      );
    await delay(askEveryMs, undefined, { signal });
  }
}
