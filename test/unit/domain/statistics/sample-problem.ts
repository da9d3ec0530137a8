import { rankScores, type RankedScores } from '../../../../domain/statistics/ranked-scores.js';

/**
 * 400 rows with many ties, made by the same rule in the Python that gave the expected numbers (scikit-learn 1.9.1,
 * SciPy 1.17.1, NumPy 2.4.6):
 *   i = np.arange(400); s = ((i * 37) % 101) / 100; y = (((i * 53) % 97) < 97 * s * 0.8).astype(int); w = (i * 7) % 4
 */
export const sampleSize = 400;
const rows = Array.from({ length: sampleSize }, (_, row) => row);
export const sampleScores = Float64Array.from(rows, (row) => ((row * 37) % 101) / 100);
export const sampleLabels = Uint8Array.from(rows, (row) =>
  (row * 53) % 97 < 97 * (((row * 37) % 101) / 100) * 0.8 ? 1 : 0,
);
export const sampleWeights = Uint16Array.from(rows, (row) => (row * 7) % 4);

export const sample: RankedScores = rankScores(sampleLabels, sampleScores);
/** The weights in the order of the ranks. */
export const rankedWeights: Uint16Array = Uint16Array.from(sample.rows, (row) => sampleWeights[row] ?? 0);

export const ranked = (labels: number[], scores: number[]): RankedScores =>
  rankScores(Uint8Array.from(labels), Float64Array.from(scores));
export const nothing: RankedScores = ranked([], []);
