import type { ScoredHoldout } from '../../domain/evaluation/evaluate-scores.js';
import { rowCount, scoreColumn, type ScoredRows } from '../../domain/metrics/measurer.js';
import type { OutputSignature } from '../../domain/tasks/task.js';
import type { ModelColumns, ScoresFile } from '../data-engine/own-metrics/scores-file.js';

/** What candidate and champion said of each row, by the names that metrics of the team's own use. */
export function scoresOfModels({ task, rows, signature, threshold, champion, slices }: ScoredHoldout): ScoresFile {
  const names = task.nativeColumns(signature).map(({ name }) => name);
  /** A number that this model does not answer with is none. */
  const columnsOf = (scored: ScoredRows, own: OutputSignature, from: number): ModelColumns => {
    const places = new Map(task.nativeColumns(own).map(({ name, place }) => [name, place]));
    const column = (name: string) => {
      const place = places.get(name);
      return place === undefined ? new Float64Array(rowCount(rows)).fill(Number.NaN) : scoreColumn(scored, place);
    };
    const scores = { values: Float32Array.from(scored.scores), width: scored.width };
    return {
      outputs: Object.fromEntries(names.map((name) => [name, column(name)])),
      predicted: task.predictedClasses?.(scores, from) ?? null,
    };
  };
  return {
    units: rows.groups ?? Int32Array.from({ length: rowCount(rows) }, (_, row) => row),
    candidate: columnsOf(rows, signature, threshold),
    champion: champion && columnsOf({ ...rows, ...champion }, champion.signature, champion.threshold),
    levels: Object.fromEntries(
      slices.map(({ feature, levels, codes }) => [feature, Array.from(codes, (code) => levels[code] ?? '')]),
    ),
  };
}
