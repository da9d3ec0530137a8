import { z } from 'zod';
import { typeOfLetter, type LoggedType } from '../../domain/serving/logged-features.js';
import { yesOrNo } from './logged-answers.js';
import type { LoggedBlock } from './logged-block.js';

/**
 * Lines that gateways wrote before blocks: a request of several rows as one packed line, its numbers column after
 * column; a single row that lists its values, after a line that names its features, the context. Still older rows name
 * every feature themselves: the data engine reads them (`line-queries.ts`).
 */

export const packedMark = '{"packed":1,';
/** How every context begins; no other line does. */
export const contextMark = '{"context":';

const letter = z
  .string()
  .transform((text, context) => typeOfLetter(text) ?? (context.addIssue('no type of a feature'), z.NEVER));
const shared = {
  environment: z.string(),
  model: z.string(),
  version: z.number().int(),
  role: z.string(),
  chosen_by: z.string().nullish(),
};
const ofRequest = {
  request_id: z.string().nullable(),
  at: z.iso.datetime().transform((text) => Date.parse(text)),
  epoch: z.number().int(),
  key_hash: z.string().nullable(),
  latency_ms: z.number(),
};
const textSchema = z.custom<string>((value) => typeof value === 'string');

const packedSchema = z.object({
  ...{ ...shared, ...ofRequest, prediction_id: z.string(), suffix: z.string(), rows: z.number().int().min(1) },
  ...{ features: z.record(z.string(), letter), numbers: z.string(), strings: z.array(textSchema) },
  ...{ scores: z.string(), labels: z.string().regex(/^[01]*$/) },
});

/** Undefined for a line that is torn or damaged. */
export function readPackedLine(line: string): LoggedBlock | undefined {
  const parsed = packedSchema.safeParse(parsedJson(line));
  if (!parsed.success) return undefined;
  const { prediction_id: id, suffix, rows, strings, labels, ...packed } = parsed.data;
  const features = Object.entries(packed.features).map(([name, type]) => ({ name, type }));
  const numberFeatures = features.filter(({ type }) => type === 'number').length;
  const [numbers, scores] = [floats(packed.numbers), floats(packed.scores)];
  if (numbers.length !== numberFeatures * rows || strings.length !== (features.length - numberFeatures) * rows)
    return undefined;
  if (scores.length !== rows || labels.length !== rows) return undefined;
  return {
    ...requestOf(packed, id, rows),
    ...{ suffix, features, numbers, scores, answers: yesOrNo },
    ...coded(strings),
    positives: Array.from(labels, Number),
  };
}

const contextSchema = z.object({ ...shared, context: z.string(), features: z.array(z.string()), types: z.string() });
export type RowContext = z.infer<typeof contextSchema>;

/** Undefined for a line that is torn. */
export const parseContext = (line: string): RowContext | undefined => contextSchema.safeParse(parsedJson(line)).data;

const rowSchema = z.object({
  ...{ ...ofRequest, prediction_id: z.string(), context: z.string() },
  ...{ n: z.array(z.number().nullable()), s: z.array(z.string().nullable()) },
  ...{ probability: z.number(), label: z.boolean() },
});

/** Undefined for a line that is torn or whose context is missing. */
export function readRow(line: string, contexts: ReadonlyMap<string, RowContext>): LoggedBlock | undefined {
  const parsed = rowSchema.safeParse(parsedJson(line));
  const context = parsed.success ? contexts.get(parsed.data.context) : undefined;
  if (!parsed.success || context === undefined) return undefined;
  const { prediction_id: id, n, s, probability, label, ...row } = parsed.data;
  const types = Array.from(context.types, typeOfLetter);
  const features = context.features.flatMap((name, index) => named(name, types[index]));
  const numberFeatures = features.filter(({ type }) => type === 'number').length;
  if (n.length !== numberFeatures || s.length !== features.length - numberFeatures) return undefined;
  return {
    ...requestOf({ ...context, ...row }, id, 1),
    ...{
      suffix: '',
      features,
      numbers: Float32Array.from(n, (value) => value ?? NaN),
      ...coded(s.map((value) => value ?? '')),
    },
    ...{ scores: Float32Array.of(probability), positives: [label ? 1 : 0], answers: yesOrNo },
  };
}

const named = (name: string, type: LoggedType | undefined) => (type === undefined ? [] : [{ name, type }]);

type SharedByRows = z.infer<z.ZodObject<typeof shared & typeof ofRequest>>;

function requestOf(read: SharedByRows, id: string, rows: number) {
  const { environment, model, version, epoch, role, chosen_by: cause = null } = read;
  return {
    ...{
      rows,
      environment,
      model,
      version,
      epoch,
      role,
      cause,
      ids: id,
      counts: [rows],
      requestIds: [read.request_id],
    },
    ...{ at: [read.at], keyHashes: [read.key_hash], latenciesMs: [read.latency_ms] },
  };
}

function coded(strings: readonly string[]): Pick<LoggedBlock, 'texts' | 'codes'> {
  const texts = [...new Set(strings.filter((text) => text !== ''))];
  const codeOf = new Map(texts.map((text, index) => [text, index + 1]));
  return { texts, codes: Int32Array.from(strings, (text) => codeOf.get(text) ?? 0) };
}

function floats(base64: string): Float32Array<ArrayBuffer> {
  const bytes = Buffer.from(base64, 'base64');
  // A copy at an aligned place: a Buffer of this size may lie anywhere in its pool.
  return new Float32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + (bytes.length - (bytes.length % 4))));
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
