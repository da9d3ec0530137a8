import { readShapedRows, type ShapedRow } from '../../adapters/data-engine/snapshot/read-shaped-rows.js';
import type { Contract } from '../../domain/data/contract.js';

/** A row of a month as an application would ask for it, with the answer that becomes known later. */
export interface FlightRequest {
  /** Made of the row's entity: the same row has the same id in every replay. */
  predictionId: string;
  /** ISO 8601, UTC. */
  eventTime: string;
  /** By feature name, in contract order; null means missing. Plain JSON. */
  features: ShapedRow['features'];
  label: boolean;
}

/** Rows of a shaped partition as live requests, in the order of their event time. */
export async function flightsAsRequests(request: {
  /** Local path of the shaped Parquet file. */
  file: string;
  contract: Contract;
  offset?: number;
  limit?: number;
  signal?: AbortSignal | undefined;
}): Promise<FlightRequest[]> {
  const rows = await readShapedRows(request);
  return rows.map(({ entity, eventTime, features, label }) => ({
    predictionId: predictionIdOf(entity),
    eventTime,
    features,
    label: label === true,
  }));
}

/** Letters, digits, dots and dashes only, so that it fits into headers and URLs: `20130401T100000Z.UA.1545`. */
function predictionIdOf(entity: Record<string, string>): string {
  return Object.values(entity)
    .map((value) => value.replace(/[-:](?=\d\d)/g, '').replace(/[^A-Za-z0-9-]/g, '_'))
    .join('.');
}
