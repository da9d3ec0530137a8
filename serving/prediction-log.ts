import type { Environment } from '../domain/names.js';
import type { ServingRole } from '../domain/serving-window.js';
import type { Rows } from './compiled-contract.js';
import type { Answer } from './infer-response.js';
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
  /** 16 hex digits that stand for the caller's key; undefined when none was given. */
  keyDigest: string | undefined;
  features: readonly { name: string }[];
  rows: Rows;
  answer: Answer;
  latencyMs: number;
}

/** The id of one row of a request: the request's own for a single row, else with the row's number behind a dot. Labels name it. */
export function rowPredictionId(predictionId: string, row: number, rows: number): string {
  return rows === 1 ? predictionId : `${predictionId}.${row}`;
}

/** The id of a shadow's answer to a copy of a row: the row's own id, so that its label is found by what stands before `~`, and the shadow's version. */
export function shadowPredictionId(rowPredictionId: string, version: number): string {
  return `${rowPredictionId}~v${version}`;
}

/** Probability of the positive (last) class for two classes, of the chosen class otherwise. */
export function scoreOf({ probabilities, classes }: Answer, row: number): number {
  if (classes <= 2) return probabilities[(row + 1) * classes - 1] ?? NaN;
  let best = 0;
  for (let at = row * classes; at < (row + 1) * classes; at += 1) best = Math.max(best, probabilities[at] ?? 0);
  return best;
}

/** Writes one line a row to the spool, the features as they were served. */
export function logPrediction(spool: Spool, served: ServedPrediction): void {
  const { rows, answer, features } = served;
  const head =
    `"request_id":${served.requestId === undefined ? 'null' : JSON.stringify(served.requestId)},"at":"${served.at.toISOString()}",` +
    `"environment":"${served.environment}","model":"${served.model}","version":${served.version},"epoch":${served.epoch},"role":"${served.role}",` +
    `"key_hash":${served.keyDigest === undefined ? 'null' : `"${served.keyDigest}"`},"latency_ms":${Math.round(served.latencyMs * 1000) / 1000}`;
  for (let row = 0; row < rows.count; row += 1) {
    const rowId = rowPredictionId(served.predictionId, row, rows.count);
    const id = served.role === 'shadow' ? shadowPredictionId(rowId, served.version) : rowId;
    let values = '';
    for (let index = 0; index < features.length; index += 1) {
      const value = rows.columns[index]?.[row];
      const text =
        typeof value === 'string' ? (value === '' ? 'null' : JSON.stringify(value)) : Number.isNaN(value) ? 'null' : String(value);
      values += `${index === 0 ? '' : ','}"${features[index]?.name ?? ''}":${text}`;
    }
    spool.append(
      served.model,
      `{"prediction_id":"${id}","row":${row},${head},"features":{${values}},` +
        `"probability":${scoreOf(answer, row)},"label":${isPositive(answer.labels[row])}}`,
    );
  }
}

/** Every label is true or false so far; a graph may say so by a class number or a name. */
function isPositive(label: number | string | undefined): boolean {
  return label === 1 || label === '1' || label === 'true';
}
