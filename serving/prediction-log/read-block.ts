import { z } from 'zod';
import { typeOfLetter, type LoggedType } from '../../domain/serving/logged-features.js';
import { taskOf } from '../../domain/tasks/task-of.js';
import { loggedAnswersSchema, loggedScores, yesOrNo } from './logged-answers.js';
import { codeArray, mapped, type LoggedBlock } from './logged-block.js';

/** What zod says of each of a thousand texts costs more than the texts. */
const texts = z.custom<string[]>((value) => Array.isArray(value) && value.every((one) => typeof one === 'string'));
const textsOrNull = z
  .custom<(string | null)[]>(
    (value) => Array.isArray(value) && value.every((one) => one === null || typeof one === 'string'),
  )
  .nullable();
const types = z
  .string()
  .transform((letters, context) =>
    Array.from(
      letters,
      (letter): LoggedType => typeOfLetter(letter) ?? (context.addIssue('no type of a feature'), z.NEVER),
    ),
  );

const blockSchema = z.object({
  rows: z.number().int().min(1),
  environment: z.string(),
  model: z.string(),
  version: z.number().int(),
  epoch: z.number().int(),
  role: z.string(),
  chosen_by: z.string().nullable(),
  suffix: z.string(),
  features: texts,
  types,
  ids: z.string(),
  counts: z.array(z.number().int().min(1)).nullable(),
  request_ids: textsOrNull,
  key_hashes: textsOrNull,
  since: z.number(),
  texts,
  answers: loggedAnswersSchema.optional(),
});

/** The columns stand at the end: cut out of the line they are no copies, as parsing would make them. */
const columnsBegin = '","at":"';
const columnsText =
  /^","at":"([^"]*)","numbers":"([^"]*)","latencies_us":"([^"]*)","codes":"([^"]*)","scores":"([^"]*)","labels":"([01]*)"\}$/;

/** A block as its line says; undefined for a line that is torn or damaged. */
export function readBlock(line: string): LoggedBlock | undefined {
  const end = line.indexOf(columnsBegin);
  const parsed = blockSchema.safeParse(parsedJson(`${line.slice(0, end)}"}`));
  const columns = columnsText.exec(line.slice(end));
  if (!parsed.success || columns === null) return undefined;
  const [, at = '', numbers = '', latencies = '', codes = '', scores = '', labels = ''] = columns;
  const { rows, chosen_by: cause, types: kinds, counts, ...read } = parsed.data;
  const { features, ids, request_ids: requestIds, key_hashes: keyHashes, since, answers = yesOrNo, ...head } = read;
  const requests = counts?.length ?? rows;
  const Codes = codeArray(head.texts);
  const block: LoggedBlock = {
    ...{ ...head, rows, answers, cause, ids, counts: counts ?? new Int32Array(rows).fill(1) },
    features: features.flatMap((name, index) => (kinds[index] === undefined ? [] : [{ name, type: kinds[index] }])),
    requestIds: requestIds ?? new Array<null>(requests).fill(null),
    keyHashes: keyHashes ?? new Array<null>(requests).fill(null),
    at: mapped(Float64Array, new Int32Array(bytesOf(at, 4)), (ms) => since + ms),
    latenciesMs: mapped(Float64Array, new Int32Array(bytesOf(latencies, 4)), (us) => us / 1000),
    numbers: new Float32Array(bytesOf(numbers, 4)),
    codes: new Codes(bytesOf(codes, Codes.BYTES_PER_ELEMENT)),
    scores: new Float32Array(bytesOf(scores, 4)),
    positives: bitsOf(labels),
  };
  return kinds.length === features.length && isWhole(block) ? block : undefined;
}

/** Whether there is as much of everything as the rows need. */
function isWhole(block: LoggedBlock): boolean {
  const { rows, answers, ids, counts, features, codes, texts: own } = block;
  const numberFeatures = features.filter(({ type }) => type === 'number').length;
  return (
    [block.requestIds, block.at, block.keyHashes, block.latenciesMs].every(({ length }) => length === counts.length) &&
    spacesIn(ids) + 1 === counts.length &&
    sumOf(counts) === rows &&
    block.numbers.length === rows * numberFeatures &&
    codes.length === rows * (features.length - numberFeatures) &&
    largest(codes) <= own.length &&
    block.scores.length === rows * loggedScores(answers).width &&
    block.positives.length === (taskOf(answers).predictedColumn === 'label' ? rows : 0)
  );
}

/** @param size of a number in it */
function bytesOf(base64: string, size: number): ArrayBuffer {
  // Not a Buffer of the pool, which may lie anywhere: arrays of numbers may not.
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(base64, 'base64'));
  const length = bytes.write(base64, 'base64');
  return length === bytes.length && length % size === 0 ? bytes.buffer : new ArrayBuffer(0);
}

function bitsOf(digits: string): Uint8Array {
  const bits = Buffer.from(digits, 'latin1');
  for (let at = 0; at < bits.length; at += 1) bits[at] = bits[at] === 49 ? 1 : 0;
  return bits;
}

function largest(codes: ArrayLike<number>): number {
  let most = 0;
  for (let at = 0; at < codes.length; at += 1) most = Math.max(most, codes[at] ?? 0);
  return most;
}

function spacesIn(text: string): number {
  let spaces = 0;
  for (let at = text.indexOf(' '); at !== -1; at = text.indexOf(' ', at + 1)) spaces += 1;
  return spaces;
}

function sumOf(counts: ArrayLike<number>): number {
  let sum = 0;
  for (let at = 0; at < counts.length; at += 1) sum += counts[at] ?? 0;
  return sum;
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
