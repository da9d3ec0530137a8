import { featureText } from './packed-line.js';
import { rowPredictionId } from './prediction-log.js';
import { readPackedLine } from './read-packed-line.js';

/** The lines that single requests would have written, one a row; undefined for a line that is torn or damaged. */
export function unpackLine(line: string): string[] | undefined {
  const packed = readPackedLine(line);
  if (packed === undefined) return undefined;
  const { predictionId, suffix, rows, shared, scores, labels } = packed;
  const columns = packed.features.map(({ name, values }) => ({ key: JSON.stringify(name), values }));
  const head = JSON.stringify(shared).slice(1, -1);
  return Array.from({ length: rows }, (_row, row) => {
    const features = columns.map(({ key, values }) => `${key}:${featureText(values[row])}`).join(',');
    return (
      `{"prediction_id":${JSON.stringify(`${rowPredictionId(predictionId, row, rows)}${suffix}`)}` +
      `,"row":${row},${head},"features":{${features}},` +
      `"probability":${scores[row]},"label":${labels[row]}}`
    );
  });
}
