import { canonicalJson } from '../../domain/canonical-json.js';
import { evaluationSchema } from '../../domain/evaluation/evaluation.js';
import { importancesOf } from '../../domain/evaluation/importances.js';
import { modelCard } from '../../domain/model/model-card.js';
import { modelCardMarkdown } from '../../domain/model/model-card-markdown.js';
import type { FoldModel } from '../../domain/model/model-version.js';
import type { Environment } from '../../domain/names.js';
import { objectKeys } from '../../domain/object-keys.js';
import type { Partition } from '../../domain/partition.js';
import { championOf } from '../../domain/serving/route.js';
import { trainerResultSchema } from '../../domain/training/trainer.js';
import { programSha256Of } from '../../domain/training/training-policy.js';
import { snapshotByDigest } from '../../db/data/partition-queries.js';
import { definitionByDigest, rulesInForce } from '../../db/model/definition-queries.js';
import { routeOf } from '../../db/serving/route-queries.js';
import { runById, type RunRecord } from '../../db/training/run-queries.js';
import { registerVersion, versionOf } from '../../db/model/version-queries.js';
import { codeRevision } from '../training/code-revision.js';
import { environmentFloor } from '../promotion/environment-floor.js';
import type { ActivityDependencies } from '../dependencies.js';
import type { Trained } from '../training/training.js';

export interface Registered {
  version: number;
  /** Where a promotion is to be asked for; null when none is. */
  promote: Environment | null;
  promoteReason: string;
}

/** The registry. A version is registered once per run, however often this is repeated. */
export function createRegistryActivities(deps: ActivityDependencies) {
  const { db, store, config } = deps;
  const readJson = async (key: string): Promise<unknown> => JSON.parse(new TextDecoder().decode(await store.get(key)));
  return {
    async registerRun(asked: {
      runId: string;
      definitionSha256: string;
      snapshotSha256: string;
      watermark: Partition | null;
      trained: Trained;
      evaluationKey: string;
      folds?: FoldModel[];
    }): Promise<Registered> {
      const { runId, definitionSha256, snapshotSha256, trained, evaluationKey } = asked;
      const definition = await definitionByDigest(db, definitionSha256);
      const run = await runById(db, runId);
      const snapshot = await snapshotByDigest(db, snapshotSha256);
      const result = trainerResultSchema.parse(await readJson(objectKeys.runFile(runId, 'result.json')));
      const evaluation = evaluationSchema.parse(await readJson(evaluationKey));
      const programSha256 = programSha256Of(definition.training);
      const version = await registerVersion(db, {
        model: definition.name,
        runId,
        definitionSha256,
        snapshotSha256,
        artifactSha256: trained.artifactSha256,
        artifactKey: objectKeys.artifact(trained.artifactSha256),
        signature: {
          inputs: result.onnx.inputs,
          outputs: result.onnx.outputs,
          ...(result.classes && { classes: result.classes }),
        },
        metrics: evaluation.overall.metrics,
        gates: run.gates ?? [],
        evaluationKey,
        threshold: evaluation.threshold,
        lineage: {
          runId,
          snapshotSha256,
          definitionSha256,
          codeRevision: await codeRevision(config.projectRoot),
          environmentSha256: trained.environmentSha256,
          ...(trained.imported ? { imported: trained.imported } : programSha256 !== undefined && { programSha256 }),
          libraries: result.libraries,
          seed: definition.training.seed,
          ...(asked.folds && { folds: asked.folds }),
          data: { environment: run.environment ?? 'production', ...(snapshot.sample && { sample: snapshot.sample }) },
        },
        watermark: asked.watermark,
      });
      const card = modelCard({
        definition,
        version,
        cause: run.cause,
        snapshot,
        evaluation,
        training: {
          ...result,
          featureImportances: importancesOf(result.featureImportances, evaluation.importances),
        },
        createdAt: version.createdAt.toISOString(),
      });
      await store.put(objectKeys.modelCard(definition.name, version.version, 'json'), canonicalJson(card), {
        contentType: 'application/json',
      });
      await store.put(objectKeys.modelCard(definition.name, version.version, 'md'), modelCardMarkdown(card), {
        contentType: 'text/markdown',
      });
      return {
        version: version.version,
        ...(await promotionFor(deps, definition.name, run, snapshotSha256)),
      };
    },
  };
}

export type RegistryActivities = ReturnType<typeof createRegistryActivities>;

/**
 * A version trained up to an earlier partition than the champion's is kept, but not proposed: it is older knowledge.
 */
async function promotionFor(
  deps: ActivityDependencies,
  model: string,
  { id: runId, sample }: Pick<RunRecord, 'id' | 'sample'>,
  snapshotSha256: string,
): Promise<{ promote: Environment | null; promoteReason: string }> {
  const { db } = deps;
  const definition = (await rulesInForce(db, model)).definition;
  const { environments } = definition.promotion;
  if (sample !== null && !environments.includes(sample.environment))
    return {
      promote: null,
      promoteReason:
        `it was trained on a sample and may enter ${sample.environment} alone, which promotion.environments of ` +
        `${model} does not name`,
    };
  const environment = sample?.environment ?? environments[0] ?? 'production';
  const below = await environmentFloor(deps).whyRefused({ environment, definition, runId, snapshotSha256 });
  if (below !== null) return { promote: null, promoteReason: below };
  const route = await routeOf(db, environment, model);
  if (route) {
    const champion = await versionOf(db, model, championOf(route.split));
    const [ours, theirs] = [
      (await snapshotByDigest(db, snapshotSha256)).watermark,
      (await snapshotByDigest(db, champion.snapshotSha256)).watermark,
    ];
    if (ours < theirs) {
      return {
        promote: null,
        promoteReason:
          `its data ends with ${ours}, the champion's with ${theirs}; \`perdure promote\` ` + 'requests it anyway',
      };
    }
  }
  return { promote: environment, promoteReason: '' };
}
