import { sendGatewayAway, wantGateway } from '../../adapters/wanted-gateways.js';
import type { GatewayOnDemand, GatewayOnDemandRequest } from '../../client/http/gateways.js';
import { gatewaysAlive } from '../../db/serving/gateway-queries.js';
import { knownEnvironment } from '../../domain/promotion/environments.js';
import { PerdureError } from '../../domain/errors.js';
import type { ApiDeps } from '../deps.js';

/**
 * Asks the supervisor of this stack for the gateway of an environment that starts on demand, or sends it away.
 * Repeating it changes nothing, and says whether the gateway is alive meanwhile.
 * @throws PerdureError `state/conflict` where nothing starts or stops it: no stack, or a gateway that always runs.
 */
export async function wantOnDemand(
  { db, stack, environments }: Pick<ApiDeps, 'db' | 'stack' | 'environments'>,
  { environment, actor }: GatewayOnDemandRequest,
  wanted: boolean,
): Promise<GatewayOnDemand> {
  const { gateway } = knownEnvironment(environments, environment);
  const live = (await gatewaysAlive(db, environment)) > 0;
  if (gateway === 'always' && wanted) return { environment, live };
  if (gateway === 'always')
    throw new PerdureError(
      'state/conflict',
      `The gateway of ${environment} always runs: perdure.config.ts does not say that it starts on demand.`,
      { environment },
    );
  if (stack !== undefined) {
    if (wanted) wantGateway(stack.home, environment, actor);
    else sendGatewayAway(stack.home, environment);
  } else if (wanted !== live)
    throw new PerdureError(
      'state/conflict',
      `This control API is part of no stack whose supervisor ${wanted ? 'starts' : 'stops'} gateways: ` +
        `${wanted ? 'start' : 'stop'} the gateway of ${environment} by hand, see docs/operations.md#environments.`,
      { environment },
    );
  return { environment, live };
}
