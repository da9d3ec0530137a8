import { z } from 'zod';
import { typeOfLetter, type LoggedType } from '../../domain/serving/logged-features.js';

/** A packed line of the spool, read and checked. */
export interface PackedRows {
  /** The request's prediction id; a row's own ends with its number and `suffix`. */
  predictionId: string;
  suffix: string;
  rows: number;
  /** The members that all rows share, as they stand in the log. */
  shared: Record<string, unknown>;
  /** One value a row each: FP32 with NaN for missing, or texts with '' for missing. */
  features: { name: string; type: LoggedType; values: Float32Array | string[] }[];
  scores: Float32Array;
  labels: boolean[];
}

const packedSchema = z.looseObject({
  packed: z.literal(1),
  prediction_id: z.string(),
  suffix: z.string(),
  rows: z.number().int().min(1),
  features: z.record(
    z.string(),
    z
      .string()
      .transform((letter, context) => typeOfLetter(letter) ?? (context.addIssue('no type of a feature'), z.NEVER)),
  ),
  numbers: z.string(),
  strings: z.custom<string[]>((value) => Array.isArray(value) && value.every((one) => typeof one === 'string')),
  scores: z.string(),
  labels: z.string().regex(/^[01]*$/),
});

/** Undefined for a line that is torn or damaged. */
export function readPackedLine(line: string): PackedRows | undefined {
  const parsed = packedSchema.safeParse(parsedJson(line));
  if (!parsed.success) return undefined;
  const {
    packed: _,
    prediction_id: predictionId,
    suffix,
    rows,
    features,
    numbers,
    strings,
    scores,
    labels,
    ...shared
  } = parsed.data;
  const values = floats(numbers);
  const kinds = Object.entries(features);
  const numberFeatures = kinds.filter(([, type]) => type === 'number').length;
  if (values.length !== numberFeatures * rows || strings.length !== (kinds.length - numberFeatures) * rows)
    return undefined;
  const read = floats(scores);
  if (read.length !== rows || labels.length !== rows) return undefined;
  let numberAt = 0;
  let stringAt = 0;
  return {
    ...{ predictionId, suffix, rows, shared },
    features: kinds.map(([name, type]) => ({
      ...{ name, type },
      values:
        type === 'number' ? values.subarray(numberAt, (numberAt += rows)) : strings.slice(stringAt, (stringAt += rows)),
    })),
    scores: read,
    labels: Array.from(labels, (label) => label === '1'),
  };
}

function floats(text: string): Float32Array {
  const bytes = Buffer.from(text, 'base64');
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
