import type { Rows } from './compiled-contract.js';
import type { Answer } from './infer-response.js';
import type { Patience } from './patience.js';

/** What an engine needs to answer for one model version. */
export interface ModelSpec {
  /** Unique in the gateway: `flight-delay@2`. */
  key: string;
  /** Of the ONNX file on disk. */
  path: string;
  sha256: string;
  /** Inputs of the graph, one a feature, in the order of the columns that `infer` gets. */
  features: { name: string; type: 'number' | 'string' }[];
  /** A row that the model must answer before it may serve. */
  sampleRow: (number | string)[];
}

export interface EngineModelStatus {
  key: string;
  state: 'starting' | 'ready' | 'restarting';
  processId: number | undefined;
  queuedRequests: number;
  restarts: number;
}

/** Runs models off the gateway's event loop. */
export interface InferenceEngine {
  /** Ready to answer when the promise ends. @throws PerdureError `artifact/refused` or `artifact/digest-mismatch`. */
  load: (spec: ModelSpec) => Promise<{ loadMs: number }>;
  unload: (key: string) => Promise<void>;
  /** @throws PerdureError `serving/overloaded`, `serving/timed-out`, `serving/failed` or `caller/left`. */
  infer: (key: string, rows: Rows, patience?: Patience) => Promise<Answer>;
  status: () => EngineModelStatus[];
  close: () => Promise<void>;
}

/** What an engine tells its metrics. */
export interface EngineObserver {
  batch: (key: string, rows: number) => void;
  restart: (key: string, reason: string) => void;
}
