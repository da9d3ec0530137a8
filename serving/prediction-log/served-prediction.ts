import type { Environment } from '../../domain/names.js';
import type { OverrideCause } from '../../domain/serving/prediction-log-columns.js';
import type { ServingRole } from '../../domain/serving/serving-window.js';
import type { Rows } from '../../inference/compiled-contract.js';
import type { Answer } from '../protocol/answer-shape.js';
import type { NamedFeatures } from './logged-block.js';

export interface ServedPrediction {
  predictionId: string;
  requestId: string | undefined;
  at: Date;
  environment: Environment;
  model: string;
  version: number;
  epoch: number;
  role: ServingRole;
  /** Of the role `override`. */
  cause: OverrideCause | undefined;
  /** 16 hex digits that stand for the caller's key; undefined when none was given. */
  keyDigest: string | undefined;
  features: NamedFeatures;
  rows: Rows;
  answer: Answer;
  latencyMs: number;
}
