import type { PromisedInterface } from '../adapters/onnx/tensor-interface-check.js';
import type { FeatureValue, ValueType } from '../domain/data/feature/feature-value.js';
import type { ModelInput } from '../domain/data/feature/model-inputs.js';
import type { Rows } from './compiled-contract.js';
import type { Scores } from '../domain/tasks/scores.js';
import type { CallerDeadline } from './caller-deadline.js';

/** What an engine needs to answer for one model version. */
export interface ModelSpec {
  /** Unique in the gateway: `flight-delay@2`. */
  key: string;
  /** Of the ONNX file on disk. */
  path: string;
  sha256: string;
  /** What the graph must take and give; it is checked before any runtime reads it. */
  promised: PromisedInterface;
  /** With their inputs of the graph, in the order of the columns that `infer` gets. */
  features: { name: string; type: ValueType; inputs: ModelInput[] }[];
  /** A row that the model must answer before it may serve. */
  sampleRow: FeatureValue[];
}

export interface EngineModelStatus {
  key: string;
  state: 'starting' | 'ready' | 'restarting' | 'out-of-service';
  /** Why it is out of service. */
  reason?: string;
  processId: number | undefined;
  queuedRequests: number;
  restarts: number;
}

/** Runs models off the gateway's event loop. */
export interface InferenceEngine {
  /** Ready to answer when the promise ends. @throws PerdureError `artifact/refused` or `artifact/digest-mismatch`. */
  load: (spec: ModelSpec) => Promise<{ loadMs: number }>;
  unload: (key: string) => Promise<void>;
  /**
   * @throws PerdureError `serving/overloaded`, `serving/timed-out`, `serving/failed`, `serving/out-of-service` or
   * `caller/left`.
   */
  infer: (key: string, rows: Rows, callerDeadline?: CallerDeadline) => Promise<Scores>;
  /**
   * Why a model is out of service, undefined while it is not: its processes ended too often, and it waits before it is
   * tried again.
   */
  outOfService: (key: string) => string | undefined;
  /** Tries a model that is out of service at once. @throws PerdureError `artifact/refused` when it stays so. */
  retry: (key: string) => Promise<void>;
  status: () => EngineModelStatus[];
  close: () => Promise<void>;
}

/** What an engine tells its metrics. */
export interface EngineObserver {
  batch: (key: string, rows: number) => void;
  restart: (key: string, reason: string) => void;
  outOfService: (key: string, reason: string) => void;
  backInService: (key: string) => void;
}
