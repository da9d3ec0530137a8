import type { ModelSpec } from './inference-engine.js';
import type { PackedRows } from './pack-rows.js';

/** From the gateway to the process that runs one model. */
export type ToInference =
  | { kind: 'load'; spec: ModelSpec }
  /** Numbers of all number features, and strings of all string features, each feature's rows side by side. */
  | ({ kind: 'infer'; batch: number } & PackedRows);

/** From the process that runs one model to the gateway. */
export type FromInference =
  | { kind: 'ready' }
  | { kind: 'loaded' }
  | { kind: 'refused'; code: 'artifact/refused' | 'artifact/digest-mismatch'; message: string }
  | { kind: 'answer'; batch: number; values: Float32Array; width: number }
  | { kind: 'failed'; batch: number; message: string };
