import type { ErrorCode } from '../../domain/errors.js';
import type { Environment } from '../../domain/names.js';
import type { LabelCounts } from './count-labels.js';
import type { FoundPrediction } from './prediction-finder.js';
import type { ShipperOptions } from '../prediction-log/shipper-messages.js';

/** From the gateway to the process that looks predictions up. */
export type ToPassport =
  | {
      kind: 'start';
      environment: Environment;
      spools: { predictions: string; labels: string };
      folder: string;
      objectStore: ShipperOptions['store'] | undefined;
    }
  | { kind: 'find'; number: number; id: string; models: string[] }
  /** `since`: ISO 8601. */
  | { kind: 'count-labels'; number: number; model: string; since: string };

/** And back. */
export type FromPassport =
  | { kind: 'ready' }
  | { kind: 'found'; number: number; found: FoundPrediction | null }
  | { kind: 'counted'; number: number; counts: LabelCounts }
  | { kind: 'failed'; number: number; code: ErrorCode; message: string };
