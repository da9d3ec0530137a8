import type { ProcessEngineOptions } from '../inference/process-engine.js';
import type { ShadowLimits } from './inference/shadow-traffic.js';

export interface GatewayLimits {
  bodyBytesMax: number;
  /** Of all requests under way together, over both protocols. */
  bodiesBytesMax: number;
  /** A request that has not arrived whole by then is ended. */
  bodyTimeoutMs: number;
  /** At the start: how long loading the routes kept on disk may delay it; what is not loaded by then comes later. */
  loadKeptMaxMs: number;
  /** At the start: how long the first look at the control plane may delay it, where nothing is known without it. */
  firstLookMaxMs: number;
  /** At the stop: requests on either port that are not answered by then, their deadlines included, are cut off. */
  drainMaxMs: number;
  /** How often routes are looked at behind the push. */
  pollEveryMs: number;
  heartbeatEveryMs: number;
  windowEveryMs: number;
  /** How long a version that no route names stays loaded, for requests by explicit version and for a quick way back. */
  unloadAfterMs: number;
  /** How long a model counts as cold after a route brought in a version that was just loaded. */
  coldStartMs: number;
  shadow: ShadowLimits;
  /** Of each of the two spools. */
  spoolBytesMax: number;
  segmentBytesMax: number;
  /** A segment of either spool goes to the object store at this age, if it is not full before. */
  segmentAgeMaxMs: number;
  engine: Partial<Omit<ProcessEngineOptions, 'workFolder' | 'observer'>>;
}

/** A gateway that has not stopped by then, its spools flushed included, is ended. Longer than `drainMaxMs`. */
export const stopMaxMs = 20_000;

/** A started gateway takes some of them from variables, whose defaults these are: `gateway-config.ts`. */
export const defaultGatewayLimits: GatewayLimits = {
  bodyBytesMax: 16 * 1024 * 1024,
  bodiesBytesMax: 256 * 1024 * 1024,
  bodyTimeoutMs: 60_000,
  loadKeptMaxMs: 60_000,
  firstLookMaxMs: 5_000,
  drainMaxMs: 12_000,
  pollEveryMs: 1_000,
  heartbeatEveryMs: 2_000,
  windowEveryMs: 1_000,
  unloadAfterMs: 60_000,
  coldStartMs: 3_000,
  shadow: { requestsMax: 256, rowsMax: 10_000 },
  spoolBytesMax: 1024 * 1024 * 1024,
  segmentBytesMax: 16 * 1024 * 1024,
  segmentAgeMaxMs: 20_000,
  engine: {},
};
