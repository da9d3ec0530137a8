import { wantGateway } from '../../adapters/wanted-gateways.js';
import type { Environment } from '../../domain/names.js';
import type { ActivityDependencies } from '../dependencies.js';

export interface WakingDependencies {
  db: ActivityDependencies['db'];
  config: Pick<ActivityDependencies['config'], 'home' | 'environments'>;
}

/**
 * Asks the supervisor of the stack for the gateway of an environment, where it starts on demand.
 * @returns what whoever waits for it is told; null where a gateway that always runs is away
 */
export function wakeGateway(
  { home, environments }: WakingDependencies['config'],
  environment: Environment,
  by: string,
): string | null {
  if (environments.find(({ name }) => name === environment)?.gateway !== 'on-demand') return null;
  wantGateway(home, environment, by);
  return (
    `no gateway of ${environment} is alive: it starts on demand, and the supervisor of the stack was asked for it. ` +
    'Where no supervisor runs, start one: see docs/operations.md#environments'
  );
}
