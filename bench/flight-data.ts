import { readShapedRows, type ShapedRow } from '../adapters/data-engine/snapshot/read-shaped-rows.js';
import type { Partition } from '../domain/partition.js';
import { shapedFlights } from '../infra/main-job/shaped-flights.js';
import flightDelay from '../models/flight-delay/model.js';

/** A month of flights, shaped by the model's own contract; a file in `folder`, made once. */
export function shapedMonth(projectRoot: string, folder: string, month: Partition): Promise<string> {
  return shapedFlights({ projectRoot, folder, definition: flightDelay, month });
}

/** Real flights, as an application would ask for them. */
export function flightRows(file: string, limit: number): Promise<ShapedRow[]> {
  return readShapedRows({ file, contract: flightDelay.contract, limit });
}
