import { z } from 'zod';
import { featureText } from './packed-line.js';
import { rowPredictionId } from './prediction-log.js';

const packedSchema = z.looseObject({
  packed: z.literal(1),
  prediction_id: z.string(),
  suffix: z.string(),
  rows: z.number().int().min(1),
  features: z.record(z.string(), z.enum(['n', 's'])),
  numbers: z.string(),
  strings: z.array(z.string()),
  scores: z.string(),
  labels: z.string().regex(/^[01]*$/),
});

/** The lines that single requests would have written, one a row; undefined for a line that is torn or damaged. */
export function unpackLine(line: string): string[] | undefined {
  const parsed = packedSchema.safeParse(parsedJson(line));
  if (!parsed.success) return undefined;
  const {
    packed: _,
    prediction_id: id,
    suffix,
    rows,
    features,
    numbers: packedNumbers,
    strings,
    scores: packedScores,
    labels,
    ...shared
  } = parsed.data;
  const numbers = floats(packedNumbers);
  const scores = floats(packedScores);
  const kinds = Object.entries(features);
  const numberFeatures = kinds.filter(([, kind]) => kind === 'n').length;
  if (numbers.length !== numberFeatures * rows || strings.length !== (kinds.length - numberFeatures) * rows) return undefined;
  if (scores.length !== rows || labels.length !== rows) return undefined;
  let numberAt = 0;
  let stringAt = 0;
  const columns = kinds.map(([name, kind]) => {
    const values: readonly (number | string)[] | Float32Array =
      kind === 'n' ? numbers.subarray(numberAt, (numberAt += rows)) : strings.slice(stringAt, (stringAt += rows));
    return { key: JSON.stringify(name), values };
  });
  const head = JSON.stringify(shared).slice(1, -1);
  return Array.from({ length: rows }, (_row, row) => {
    let values = '';
    for (const { key, values: column } of columns) values += `${values === '' ? '' : ','}${key}:${featureText(column[row])}`;
    return (
      `{"prediction_id":${JSON.stringify(`${rowPredictionId(id, row, rows)}${suffix}`)},"row":${row},${head},"features":{${values}},` +
      `"probability":${scores[row]},"label":${labels[row] === '1'}}`
    );
  });
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
