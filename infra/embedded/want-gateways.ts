import { wantGateway } from '../../adapters/wanted-gateways.js';
import { knownEnvironment } from '../../domain/promotion/environments.js';
import type { Environment } from '../../domain/names.js';
import type { PerdureConfig } from '../../perdure.config.js';

/** The gateways of these environments start with the stack of a home, now and later; those that always run do anyway. */
export function wantGateways({ home, environments }: PerdureConfig, wanted: readonly Environment[], by: string): void {
  for (const environment of wanted)
    if (knownEnvironment(environments, environment).gateway === 'on-demand') wantGateway(home, environment, by);
}
