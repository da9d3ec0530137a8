import type { Environment } from '../names.js';
import type { Route } from './route.js';
import type { OverrideCause } from './prediction-log-columns.js';
import type { LabelValue } from './received-label.js';

/** What a passport asks of the control plane. */
export interface PassportQuestion {
  environment: Environment;
  model: string;
  version: number;
  epoch: number;
  /** When the prediction was made. */
  at: Date;
}

export interface PassportFacts {
  version: {
    runId: string;
    snapshotSha256: string;
    artifactSha256: string;
    definitionSha256: string;
    registeredAt: string;
  };
  /** Null when the epoch is not one of this store's. */
  route: Pick<Route, 'split' | 'standby' | 'reason' | 'at'> | null;
  /** The last one that was asked for before the prediction; null when the version came in without one. */
  promotion: {
    id: string;
    state: string;
    requestedBy: string;
    evidenceSha256: string | null;
    approvedBy: { actor: string; via: string; comment: string; at: string }[];
  } | null;
}

/** A row of the prediction log, as it was served. */
export interface LoggedPrediction {
  prediction_id: string;
  request_id: string | null;
  at: string;
  environment: Environment;
  model: string;
  version: number;
  epoch: number;
  role: string;
  chosen_by: OverrideCause | null;
  key_hash: string | null;
  features: Record<string, unknown>;
  /** By column of the log: what the task answers. */
  outputs: Record<string, unknown>;
  latency_ms: number;
}

/** What really happened, as it was received last. */
export interface ReceivedLabel {
  label: LabelValue;
  observed_at: string;
  received_at: string;
}
