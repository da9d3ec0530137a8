import path from 'node:path';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import type { Partition } from '../../domain/partition.js';
import type { PerdureConfig } from '../../perdure.config.js';
import { shapedFlights } from './shaped-flights.js';
import { flightsAsRequests, type FlightRequest } from './flights-requests.js';

/**
 * A month's flights as an application would ask for them: shaped by the model's own contract, with the answers that
 * become known later.
 */
export async function liveFlights({
  config,
  definition,
  month,
}: {
  config: PerdureConfig;
  definition: ModelDefinition;
  month: Partition;
}): Promise<FlightRequest[]> {
  const folder = path.join(config.home, 'cache', 'flights');
  const shaped = await shapedFlights({ projectRoot: config.projectRoot, folder, definition, month });
  return flightsAsRequests({ file: shaped, contract: definition.contract });
}
