import { typeLetters, type LoggedType } from '../../domain/serving/logged-features.js';
import { loggedAnswerRows, yesOrNo, type LoggedAnswers } from './logged-answers.js';
import { jsonOfText, type JsonValue } from '../../domain/data/feature/feature-value.js';
import { textProblem } from '../../domain/text/text-problem.js';

/**
 * Rows that were answered between two flushes of the spool, of one version, role and epoch, as one line: numbers in
 * base64, each text once. Writing rows as text takes longer than answering them, and reading them longer again.
 */
export interface LoggedBlock extends BlockHead {
  rows: number;
  /** Prediction ids of the requests in one text, a space between two: most need not be told apart. */
  ids: string;
  /** Rows of each request. */
  counts: ArrayLike<number>;
  requestIds: (string | null)[];
  /** Milliseconds since the epoch. */
  at: ArrayLike<number>;
  keyHashes: (string | null)[];
  latenciesMs: ArrayLike<number>;
  /** Column after column, those of number features; NaN where one is missing. */
  numbers: Float32Array<ArrayBuffer>;
  /** Column after column, those of all other features: places in `texts` from 1 on, 0 where one is missing. */
  codes: Uint8Array<ArrayBuffer> | Uint16Array<ArrayBuffer> | Int32Array<ArrayBuffer>;
  texts: string[];
  /** Row after row, as many a row as its answers have (`loggedScores`). */
  scores: Float32Array<ArrayBuffer>;
  /** One a row where a threshold draws a line, else none. */
  positives: ArrayLike<number>;
}

/** What all rows of a block share. */
export interface BlockHead {
  environment: string;
  model: string;
  version: number;
  epoch: number;
  role: string;
  cause: string | null;
  /** Stands behind the number of each row in its prediction id; empty for what is no shadow's answer. */
  suffix: string;
  features: NamedFeatures;
  answers: LoggedAnswers;
}

export type NamedFeatures = readonly { name: string; type: LoggedType }[];

/** How every block begins; no other line does. */
export const blockMark = '{"block":1,';

export function blockLine(block: LoggedBlock): string {
  const { rows, ids, counts, requestIds, keyHashes, features, texts, scores, positives, ...rest } = block;
  const { at, latenciesMs, numbers, codes, cause, answers, ...head } = rest;
  const since = at[0] ?? 0;
  const own = JSON.stringify({
    ...{ ...head, chosen_by: cause, features: features.map(({ name }) => name), types: typeLetters(features) },
    ...{ counts: unless(counts, 1), request_ids: unless(requestIds, null), key_hashes: unless(keyHashes, null) },
    ...{ ...(answers.task !== yesOrNo.task && { answers }), since, texts, ids },
  });
  // Nothing in these that JSON would write otherwise. They stand last and in this order: so they are cut out again.
  const plain = {
    ...{ at: base64(mapped(Int32Array, at, (ms) => ms - since)), numbers: base64(numbers) },
    latencies_us: base64(mapped(Int32Array, latenciesMs, (ms) => Math.min(Math.round(ms * 1000), longestUs))),
    ...{ codes: base64(new (codeArray(texts))(codes)), scores: base64(scores), labels: digits(positives) },
  };
  const members = Object.entries(plain).map(([name, text]) => `,"${name}":"${text}"`);
  return `${blockMark}"rows":${rows},${own.slice(1, -1)}${members.join('')}}`;
}

/** What `Type.from` does, ten times faster. */
export function mapped<Numbers extends Int32Array | Float64Array>(
  Type: new (length: number) => Numbers,
  values: ArrayLike<number>,
  map: (value: number) => number,
): Numbers {
  const all = new Type(values.length);
  for (let at = 0; at < all.length; at += 1) all[at] = map(values[at] ?? NaN);
  return all;
}

/** Half an hour: what fits. */
const longestUs = 2 ** 31 - 1;

const digits = (bits: ArrayLike<number>): string => {
  const all = Buffer.allocUnsafe(bits.length);
  for (let at = 0; at < bits.length; at += 1) all[at] = 48 + (bits[at] ?? 0);
  return all.toString('latin1');
};

/** As wide as codes of so many texts need. */
export const codeArray = ({ length }: { length: number }) =>
  length < 2 ** 8 ? Uint8Array : length < 2 ** 16 ? Uint16Array : Int32Array;

/** Null where all are the usual one. */
function unless<Value>(values: ArrayLike<Value>, usual: Value): Value[] | null {
  for (let at = 0; at < values.length; at += 1) if (values[at] !== usual) return Array.from(values);
  return null;
}

const base64 = ({ buffer, byteOffset, byteLength }: ArrayBufferView<ArrayBuffer>): string =>
  Buffer.from(buffer, byteOffset, byteLength).toString('base64');

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

/** The rows as the log holds them, their features by name. */
export function rowsOfBlock(block: LoggedBlock): Record<string, unknown>[] {
  const { rows, ids, counts, suffix, features, environment, model, version, epoch, role, cause } = block;
  const answers = loggedAnswerRows(block);
  const named = placedFeatures(features).map(({ name, type, column }) => ({
    name,
    valueAt: (at: number): JsonValue => {
      if (type !== 'number') {
        const text = block.texts[(block.codes[column * rows + at] ?? 0) - 1];
        return text === undefined ? null : jsonOfText(type, text);
      }
      const value = block.numbers[column * rows + at] ?? NaN;
      return Number.isNaN(value) ? null : value;
    },
  }));
  let next = 0;
  return ids.split(' ').flatMap((id, request) =>
    Array.from({ length: counts[request] ?? 0 }, (_, row) => {
      const at = next++;
      return {
        prediction_id: `${rowPredictionId(id, row, counts[request] ?? 0)}${suffix}`,
        ...{ request_id: block.requestIds[request] ?? null, row, at: new Date(block.at[request] ?? NaN).toISOString() },
        ...{ environment, model, version, epoch, role, chosen_by: cause, key_hash: block.keyHashes[request] ?? null },
        features: Object.fromEntries(named.map(({ name, valueAt }) => [name, valueAt(at)])),
        ...answers[at],
        latency_ms: block.latenciesMs[request],
      };
    }),
  );
}

/** Features with their column, among those of numbers or among all others. */
export function placedFeatures(features: NamedFeatures): { name: string; type: LoggedType; column: number }[] {
  let [numbers, others] = [0, 0];
  return features.map((feature) => ({ ...feature, column: feature.type === 'number' ? numbers++ : others++ }));
}

/** The requests with a text that no log can hold, in a block of their own each, and all others. */
export function splitUnstorable(block: LoggedBlock): { fit: LoggedBlock; unfit: LoggedBlock[] } {
  const { requestIds, texts, codes, rows } = block;
  const isBad = [false, ...texts.map((text) => textProblem(text) !== undefined)];
  const requestOfRow = requestsOfRows(block);
  const bad = requestIds.map((id) => textProblem(id ?? '') !== undefined);
  for (let at = 0; at < codes.length; at += 1)
    if (isBad[codes[at] ?? 0] === true) bad[requestOfRow[at % rows] ?? -1] = true;
  if (!bad.includes(true)) return { fit: block, unfit: [] };
  return {
    fit: requestsOf(block, (request) => bad[request] !== true),
    unfit: bad.flatMap((is, request) => (is ? [requestsOf(block, (one) => one === request)] : [])),
  };
}

const requestsOfRows = ({ counts }: LoggedBlock): number[] =>
  Array.from(counts).flatMap((count, request) => new Array<number>(count).fill(request));

function requestsOf(block: LoggedBlock, keep: (request: number) => boolean): LoggedBlock {
  const requestOfRow = requestsOfRows(block);
  const ofRequests = <Value>(values: ArrayLike<Value>) => Array.from(values).filter((_, request) => keep(request));
  const ofRows = (values: ArrayLike<number>) =>
    Array.from(values).filter((_, at) => keep(requestOfRow[at % requestOfRow.length] ?? -1));
  const width = block.scores.length / requestOfRow.length;
  const counts = ofRequests(block.counts);
  return {
    ...block,
    ids: ofRequests(block.ids.split(' ')).join(' '),
    rows: counts.reduce((sum, count) => sum + count, 0),
    ...{ counts, requestIds: ofRequests(block.requestIds) },
    ...{ at: ofRequests(block.at), keyHashes: ofRequests(block.keyHashes), latenciesMs: ofRequests(block.latenciesMs) },
    ...{ numbers: Float32Array.from(ofRows(block.numbers)), codes: Int32Array.from(ofRows(block.codes)) },
    scores: block.scores.filter((_, at) => keep(requestOfRow[Math.floor(at / width)] ?? -1)),
    positives: ofRows(block.positives),
  };
}
