import { createEngine } from '../../adapters/data-engine/engine.js';
import { measureOwnMetrics } from '../../adapters/data-engine/own-metrics/measure-own-metrics.js';
import type { Evaluation } from '../../domain/evaluation/evaluation.js';
import { withOwnMetrics, type MeasuredPlace } from '../../domain/evaluation/own-metric.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import { seedOfDigest } from '../../domain/statistics/random.js';
import type { ClassName } from '../../domain/tasks/task.js';

interface Question {
  evaluation: Evaluation;
  definition: ModelDefinition;
  classes: readonly ClassName[] | undefined;
  /** What the evaluation process wrote of the models' answers. */
  scoresPath: string;
  files: readonly string[];
  workDir: string;
  signal: AbortSignal;
  report: (progress: string) => void;
}

const memoryLimitMb = 1024;
/** One statement is one resample. */
const limits = { residentMb: memoryLimitMb + 768, statementMs: 2 * 60_000 };

export const hasOwnMetrics = ({ evaluation: { metrics = {} } }: ModelDefinition): boolean =>
  Object.keys(metrics).length > 0;

/** Adds the metrics that a team declared in SQL, in a process that a limit on memory or time ends. */
export async function withMetricsOfTheTeam(question: Question): Promise<Evaluation> {
  const { evaluation, definition, classes, scoresPath, files, workDir, signal, report } = question;
  const { metrics = {}, bootstrapRounds, confidencePct } = definition.evaluation;
  const engine = createEngine(limits, signal);
  try {
    const session = await engine.open({
      ...{ folder: workDir, readable: [scoresPath, ...files], threads: 1, memoryLimitMb, signal },
    });
    const found = await measureOwnMetrics(session, {
      ...{ metrics, model: { ...definition, classes }, scores: scoresPath, holdout: files, bootstrapRounds },
      ...{ confidencePct, compared: evaluation.comparison !== null, places: placesAsked(question) },
      seed: seedOfDigest(evaluation.holdoutSha256),
      onProgress: (donePct) => report(`measure own metrics ${Math.round(donePct)} %`),
    });
    return withOwnMetrics(evaluation, found);
  } finally {
    engine.end();
  }
}

/** All rows, and levels on which a gate asks an own metric: those with enough rows. */
function placesAsked({ evaluation, definition: { evaluation: policy } }: Question): MeasuredPlace[] {
  const gates = policy.gates.filter(({ metric }) => Object.hasOwn(policy.metrics ?? {}, metric));
  const levels = evaluation.slices.filter(({ feature, scored }) =>
    gates.some(({ slice, minRows }) => slice === feature && scored.rows >= minRows),
  );
  return [null, ...levels.map(({ feature, level }) => ({ feature, level }))];
}
