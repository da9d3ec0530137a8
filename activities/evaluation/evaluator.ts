import path from 'node:path';
import { evaluateModels } from '../../adapters/onnx/evaluate-models.js';
import { makeWorkFolder, removeWorkFolder } from '../../adapters/work-folder.js';
import { canonicalJson, digestOf } from '../../domain/canonical-json.js';
import type { Evaluation } from '../../domain/evaluation/evaluation.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import type { Environment } from '../../domain/names.js';
import { headlineOf } from '../../domain/tasks/headline.js';
import type { TensorInterface } from '../../domain/model/model-version.js';
import { objectKeys } from '../../domain/object-keys.js';
import { championOf } from '../../domain/serving/route.js';
import type { FoldModel } from '../../domain/model/model-version.js';
import type { SnapshotManifest } from '../../domain/data/snapshot/snapshot.js';
import { describePartitions, type Partition } from '../../domain/partition.js';
import { knownPartitions } from '../../domain/data/snapshot/known-rows.js';
import { snapshotByDigest } from '../../db/data/partition-queries.js';
import { definitionByDigest } from '../../db/model/definition-queries.js';
import { routeOf } from '../../db/serving/route-queries.js';
import { versionOf, type VersionRecord } from '../../db/model/version-queries.js';
import { hasOwnMetrics, withMetricsOfTheTeam } from './team-metrics.js';
import { championRows } from './champion-rows.js';
import { runNative } from './run-native.js';
import type { ActivityDependencies } from '../dependencies.js';

const timeoutMs = 30 * 60_000;

type Champion = Pick<
  VersionRecord,
  'version' | 'artifactSha256' | 'artifactKey' | 'snapshotSha256' | 'definitionSha256' | 'threshold' | 'signature'
>;

interface Comparison {
  definition: ModelDefinition;
  snapshotSha256: string;
  artifactSha256: string;
  champion: Champion | null;
  /** Of the candidate: its classes, in the order of its chances. */
  signature: Pick<TensorInterface, 'classes'>;
  /** The chance from which the candidate predicts yes; the policy's own number when absent. */
  threshold?: number | undefined;
  /** Of a cross-validated candidate: the models of its folds. */
  folds?: readonly FoldModel[] | undefined;
  /** Whether to find out which features matter, since nobody has said so. */
  importances?: boolean;
  /** The run whose trainer left what the native model says; null leaves parity out. */
  runId: string | null;
}

/**
 * Measures a candidate on the frozen holdout, in a process of its own, and the champion on the same rows. What is
 * measured is kept in the object store under its digest.
 */
export function createEvaluator(deps: ActivityDependencies) {
  const { db, store, cache, config } = deps;
  const keep = (model: string, evaluation: Evaluation) => keepEvaluation(store, model, evaluation);
  return { championIn, fairChampionIn, whyLeftOut, evaluate, keep };

  async function championIn(environment: Environment, model: string): Promise<Champion | null> {
    const route = await routeOf(db, environment, model);
    if (!route) return null;
    return versionOf(db, model, championOf(route.split));
  }

  /** A champion that was trained on rows of the holdout would be judged on what it knows by heart: it is left out. */
  async function fairChampionIn(
    environment: Environment,
    model: string,
    snapshotSha256: string,
  ): Promise<Champion | null> {
    const champion = await championIn(environment, model);
    if (!champion) return null;
    return (await knownBy(champion, snapshotSha256)).length > 0 ? null : champion;
  }

  /** The champion that is left out, and why; nothing where there is none, or none that knows the holdout. */
  async function whyLeftOut(
    environment: Environment,
    model: string,
    snapshotSha256: string,
  ): Promise<Pick<Evaluation, 'leftOut'>> {
    const champion = await championIn(environment, model);
    const known = champion ? await knownBy(champion, snapshotSha256) : [];
    if (!champion || known.length === 0) return {};
    const reason = `it has learned rows of ${describePartitions(known)}, which are held out here`;
    return { leftOut: { version: champion.version, reason } };
  }

  /** The partitions of a holdout of which a champion has learned rows. */
  async function knownBy(champion: Champion, snapshotSha256: string): Promise<Partition[]> {
    const snapshot = await snapshotByDigest(db, champion.snapshotSha256);
    return knownPartitions({ snapshot }, await snapshotByDigest(db, snapshotSha256));
  }

  async function evaluate(
    asked: Comparison,
    signal: AbortSignal,
    report: (progress: string) => void,
  ): Promise<Evaluation> {
    const { definition, snapshotSha256, artifactSha256, champion, signature, threshold, folds, runId } = asked;
    const manifest = await snapshotByDigest(db, snapshotSha256);
    const workDir = await makeWorkFolder(config.home, 'evaluate');
    try {
      report('fetching models and holdout');
      const holdout = await Promise.all(
        manifest.holdout.map(async ({ key, sha256 }) => ({ path: await cache.fetch(key, sha256), sha256 })),
      );
      const scoresPath = path.join(workDir, 'scores.parquet');
      const evaluation = await evaluateModels(
        {
          task: definition.task,
          classes: signature.classes,
          threshold,
          candidate: {
            path: await cache.fetch(objectKeys.artifact(artifactSha256), artifactSha256),
            sha256: artifactSha256,
          },
          ...(folds && folds.length > 0 && { folds: await foldFiles(deps, manifest, folds) }),
          champion:
            champion &&
            (await championToAsk(deps, champion, { challenger: definition, manifest, workDir, signal, report })),
          holdout,
          contract: definition.contract,
          policy: definition.evaluation,
          importances: asked.importances,
          native: runId === null ? null : await runNative(store, runId, workDir),
          ...(hasOwnMetrics(definition) && { scoresPath }),
        },
        { signal, timeoutMs, onProgress: (step, donePct) => report(`${step} ${Math.round(donePct)} %`) },
      );
      if (!hasOwnMetrics(definition)) return evaluation;
      const files = holdout.map((file) => file.path);
      return await withMetricsOfTheTeam({
        ...{ evaluation, definition, classes: signature.classes, scoresPath, files, workDir, signal, report },
      });
    } finally {
      await removeWorkFolder(workDir);
    }
  }
}

async function keepEvaluation(
  store: ActivityDependencies['store'],
  model: string,
  evaluation: Evaluation,
): Promise<{ key: string; sha256: string }> {
  const sha256 = digestOf(evaluation);
  const key = objectKeys.evaluation(model, sha256);
  await store.putImmutable(key, canonicalJson(evaluation), { contentType: 'application/json' });
  return { key, sha256 };
}

/** The file of a champion, and on what it is asked. */
async function championToAsk(
  deps: ActivityDependencies,
  { artifactKey, artifactSha256: sha256, definitionSha256, version, threshold, signature }: Champion,
  question: Omit<Parameters<typeof championRows>[1], 'champion'>,
) {
  const champion = await definitionByDigest(deps.db, definitionSha256);
  return {
    ...{ path: await deps.cache.fetch(artifactKey, sha256), sha256, version, threshold, classes: signature.classes },
    ...(await championRows(deps, { ...question, champion })),
  };
}

/** The model of each fold, and which files of the holdout it has not seen. */
function foldFiles(
  { cache }: Pick<ActivityDependencies, 'cache'>,
  { holdout }: SnapshotManifest,
  folds: readonly FoldModel[],
) {
  return Promise.all(
    folds.map(async ({ fold, artifactSha256: sha256 }) => ({
      path: await cache.fetch(objectKeys.artifact(sha256), sha256),
      sha256,
      holdout: holdout.flatMap((file, index) => (file.fold === fold ? [index] : [])),
    })),
  );
}

/** One line of an evaluation, for people. */
export function summaryOf({ overall, comparison, championVersion, notCompared, leftOut, folds }: Evaluation): string {
  const shown = headlineOf(overall.metrics);
  const text = (value: number | null | undefined) => value?.toFixed(4) ?? 'undefined';
  const measured = shown.map(({ key, title }) => `${title} ${text(overall.metrics[key])}`).join(', ');
  const spread = shown.flatMap(({ key, title }) => {
    const { min, max } = folds?.metrics[key] ?? {};
    return min === undefined ? [] : [`${title} ${text(min)} to ${text(max)}`];
  });
  const own =
    `${measured}${measured ? ' on ' : ''}${overall.rows} rows` +
    (spread.length > 0 ? ` (over ${folds?.rows.length} folds: ${spread.join(', ')})` : '');
  const without = leftOut
    ? `not compared with champion ${leftOut.version}: ${leftOut.reason}`
    : 'no champion to compare with on these rows';
  return comparison
    ? `${own}; champion ${championVersion}: ${shown.map(({ key }) => text(comparison.champion[key])).join(', ')}`
    : notCompared === undefined
      ? `${own}; ${without}`
      : `${own}; not compared with champion ${championVersion}: ${notCompared}`;
}
