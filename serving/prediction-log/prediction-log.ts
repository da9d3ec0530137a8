import type { Environment } from '../../domain/names.js';
import type { LoggedType } from '../../domain/serving/logged-features.js';
import type { OverrideCause } from '../../domain/serving/prediction-log-columns.js';
import type { ServingRole } from '../../domain/serving/serving-window.js';
import type { Rows } from '../../inference/compiled-contract.js';
import type { Scores } from '../../inference/scores.js';
import type { Answer } from '../protocol/infer-response.js';
import { packedLine } from './packed-line.js';
import { contextOf, valuesText } from './row-line.js';
import type { Spool } from './spool.js';

export interface ServedPrediction {
  predictionId: string;
  requestId: string | undefined;
  at: Date;
  environment: Environment;
  model: string;
  version: number;
  epoch: number;
  role: ServingRole;
  /** Of the role `override`; left out of the line elsewhere. */
  cause: OverrideCause | undefined;
  /** 16 hex digits that stand for the caller's key; undefined when none was given. */
  keyDigest: string | undefined;
  features: readonly { name: string; type: LoggedType }[];
  rows: Rows;
  answer: Answer;
  latencyMs: number;
}

/**
 * The id of one row of a request: the request's own for a single row, else with the row's number behind a dot. Labels
 * name it.
 */
export function rowPredictionId(predictionId: string, row: number, rows: number): string {
  return rows === 1 ? predictionId : `${predictionId}.${row}`;
}

/**
 * The id of a shadow's answer to a copy of a row: the row's own id, so that its label is found by what stands before
 * `~`, and the shadow's version.
 */
export function shadowPredictionId(rowPredictionId: string, version: number): string {
  return `${rowPredictionId}~v${version}`;
}

/** Probability of the positive (last) class for two classes, of the chosen class otherwise. */
export function scoreOf({ probabilities, classes }: Scores, row: number): number {
  if (classes <= 2) return probabilities[(row + 1) * classes - 1] ?? NaN;
  let best = 0;
  for (let at = row * classes; at < (row + 1) * classes; at += 1) best = Math.max(best, probabilities[at] ?? 0);
  return best;
}

/**
 * Writes the rows to the spool, the features as they were served: a line for a single row, and one packed line for
 * several.
 */
export function logPrediction(spool: Spool, served: ServedPrediction): void {
  const { predictionId, rows, answer, features } = served;
  const suffix = served.role === 'shadow' ? shadowPredictionId('', served.version) : '';
  const request = served.requestId === undefined ? 'null' : JSON.stringify(served.requestId);
  const own =
    `"epoch":${served.epoch},"key_hash":${served.keyDigest === undefined ? 'null' : `"${served.keyDigest}"`},` +
    `"latency_ms":${Math.round(served.latencyMs * 1000) / 1000}`;
  if (rows.count > 1) {
    const head =
      `"request_id":${request},"at":"${served.at.toISOString()}","environment":"${served.environment}",` +
      `"model":"${served.model}","version":${served.version},"role":"${served.role}",` +
      `${served.cause === undefined ? '' : `"chosen_by":"${served.cause}",`}${own}`;
    const scores = Float32Array.from({ length: rows.count }, (_, row) => scoreOf(answer, row));
    const positives = Array.from({ length: rows.count }, (_, row) => answer.labels[row] === 1);
    const line = packedLine(predictionId, head, { suffix, features, rows, scores, positives });
    spool.append(served.model, line, rows.count);
    return;
  }
  const context = contextOf(features, served);
  const line =
    `{"prediction_id":"${predictionId}${suffix}","context":"${context.key}","request_id":${request},` +
    `"at":"${served.at.toISOString()}",${own},${valuesText(features, rows)},` +
    `"probability":${scoreOf(answer, 0)},"label":${answer.labels[0] === 1}}`;
  spool.append(served.model, line, 1, context);
}
