import type { ModelSpec } from './inference-engine.js';

/** From the gateway to the process that runs one model. */
export type ToInference =
  | { kind: 'load'; spec: ModelSpec }
  /** Numbers of all number features, then strings of all string features, each feature's rows side by side. */
  | { kind: 'infer'; batch: number; rows: number; numbers: Float32Array; strings: string[] };

/** From the process that runs one model to the gateway. */
export type FromInference =
  | { kind: 'ready' }
  | { kind: 'loaded' }
  | { kind: 'refused'; code: 'artifact/refused' | 'artifact/digest-mismatch'; message: string }
  | { kind: 'answer'; batch: number; values: Float32Array; width: number }
  | { kind: 'failed'; batch: number; message: string };
