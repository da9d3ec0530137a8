import path from 'node:path';
import { checkValueMetrics } from '../../adapters/data-engine/expressions/check-expressions.js';
import { evaluateModels } from '../../adapters/onnx/evaluate-models.js';
import { makeWorkFolder, removeWorkFolder } from '../../adapters/work-folder.js';
import { canonicalJson, digestOf } from '../../domain/canonical-json.js';
import { actorOf } from '../../domain/cause.js';
import { PerdureError } from '../../domain/errors.js';
import { evaluationSchema, type Evaluation } from '../../domain/evaluation/evaluation.js';
import type { EvaluationPolicy } from '../../domain/evaluation/evaluation-policy.js';
import { compatibilityText } from '../../domain/data/contract-compatibility.js';
import { ruleOnContract } from '../../domain/promotion/contract-consent.js';
import { floorDigest } from '../../domain/promotion/floor.js';
import { decideGates } from '../../domain/evaluation/gate.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import type { Environment } from '../../domain/names.js';
import { objectKeys } from '../../domain/object-keys.js';
import type { Evidence } from '../../domain/promotion/promotion.js';
import type { PromotionPolicy } from '../../domain/promotion/promotion-policy.js';
import { championOf } from '../../domain/serving/route.js';
import { measuresAlike, policyAfter, rulesDigest, underRulesInForce } from '../../domain/promotion/rules.js';
import { knowsHoldout } from '../../domain/data/snapshot.js';
import { contractOutlook } from '../../db/promotion/contract-facts.js';
import { snapshotByDigest } from '../../db/data/data-queries.js';
import { definitionByDigest, mustBeAsStored, rulesInForce } from '../../db/model/definition-queries.js';
import { showEvidence, promotionById } from '../../db/promotion/promotion-queries.js';
import { routeOf } from '../../db/serving/route-queries.js';
import { setBackOf } from '../../db/rollout/service-record.js';
import {
  finishRunStep,
  runById,
  startRunStep,
  updateRun,
  versionOf,
  type VersionRecord,
} from '../../db/training/run-queries.js';
import { championRows } from './champion-rows.js';
import type { ActivityDependencies } from '../dependencies.js';
import { environmentFloor, readFloor } from '../promotion/environment-floor.js';
import { evidenceFacts } from '../promotion/evidence-facts.js';
import { withHeartbeat } from '../heartbeat.js';
import { turn } from '../turn.js';

const timeoutMs = 30 * 60_000;

type Champion = Pick<
  VersionRecord,
  'version' | 'artifactSha256' | 'artifactKey' | 'snapshotSha256' | 'definitionSha256' | 'threshold'
>;

interface Comparison {
  definition: ModelDefinition;
  snapshotSha256: string;
  artifactSha256: string;
  champion: Champion | null;
  /** The run whose trainer left the native model's probabilities; null leaves parity out. */
  runId: string | null;
}

export interface ShownEvidence {
  evidenceSha256: string;
  champion: number | null;
  summary: string;
  conflict: string | null;
  policy?: PromotionPolicy;
  /** The moment of a declared cut-over that is still to come. */
  notBefore?: string;
}

/** Evaluation on the frozen holdout, in a process of its own. Reports are named by their digests. */
export function createEvaluationActivities(deps: ActivityDependencies) {
  const { db, store, cache, config } = deps;
  const facts = evidenceFacts(deps);
  const floors = environmentFloor(deps);
  return {
    /** Candidate against the champion of the last environment that the policy names. */
    async evaluateRun(asked: {
      runId: string;
      definitionSha256: string;
      snapshotSha256: string;
      artifactSha256: string;
    }): Promise<{ evaluationKey: string; summary: string }> {
      return withHeartbeat(async (signal, report) => {
        const claim = await startRunStep(db, { runId: asked.runId, step: 'evaluate', turn: turn() });
        const definition = await definitionByDigest(db, asked.definitionSha256);
        const { promotion } = (await rulesInForce(db, definition.name)).definition;
        const environment = promotion.environments.at(-1) ?? 'production';
        const champion = await fairChampionIn(environment, definition.name, asked.snapshotSha256);
        const evaluation = await evaluate({ ...asked, definition, champion }, signal, report);
        const { key } = await keep(definition.name, evaluation);
        await updateRun(db, claim, { evaluationKey: key, metrics: evaluation.overall.metrics });
        const summary = summaryOf(evaluation);
        await finishRunStep(db, claim, summary);
        return { evaluationKey: key, summary };
      });
    },

    /**
     * What people are shown before they decide. The run's own evaluation serves while its champion is still the one.
     */
    async gatherEvidence(asked: {
      promotionId: string;
      model: string;
      version: number;
      environment: Environment;
    }): Promise<ShownEvidence> {
      return withHeartbeat(async (signal, report) => {
        const { promotionId, model, version, environment } = asked;
        const candidate = await versionOf(db, model, version);
        const champion = await championIn(environment, model);
        if (champion?.version === version) return conflict(`${model}@${version} is champion in ${environment} already`);
        const promotion = await promotionById(db, promotionId);
        if (promotion.evidence && champion && champion.version > version)
          return conflict(`version ${champion.version} became champion in ${environment} meanwhile`);
        const rules = (await rulesInForce(db, model)).definition;
        await mustBeAsStored(db, model, candidate.definitionSha256);
        const own = await definitionByDigest(db, candidate.definitionSha256);
        const definition = underRulesInForce(own, rules);
        const contract = await contractOutlook(db, { environment, model, contract: own.contract, except: version });
        const callers = ruleOnContract(contract, rules.promotion.breakingContract, rules.rollout.strategy, new Date());
        if (callers.refused !== null)
          throw new PerdureError(
            'promotion/refused',
            `${model}@${version} does not come into ${environment}: ${callers.refused}`,
          );
        await checkValueMetrics(definition);
        const kept = evaluationSchema.parse(
          JSON.parse(new TextDecoder().decode(await store.get(candidate.evaluationKey))),
        );
        const fair = await fairChampionIn(environment, model, candidate.snapshotSha256);
        const fits =
          kept.championSha256 === (fair?.artifactSha256 ?? null) &&
          measuresAlike(own.evaluation, definition.evaluation);
        const evaluation = fits
          ? kept
          : await evaluate(
              { ...candidate, definition: asServed(definition, candidate), champion: fair },
              signal,
              report,
            );
        const { key, sha256 } = await keep(model, evaluation);
        const refused = await floors.whyRefused({
          environment,
          definition: rules,
          runId: candidate.runId,
          snapshotSha256: candidate.snapshotSha256,
        });
        if (refused !== null)
          throw new PerdureError('promotion/refused', `${model}@${version} is not promoted: ${refused}.`, {
            model,
            version,
          });
        const gates = passedGates(candidate, rules.evaluation, evaluation);
        report('checking the artifact in the store');
        const setBack = await setBackOf(db, { environment, model, version });
        const before = await facts.before(definition.promotion.environments, asked);
        await mustBeTheSameBytes(candidate, before);
        const evidence: Evidence = {
          model,
          version,
          environment,
          champion: champion?.version ?? null,
          artifactSha256: candidate.artifactSha256,
          snapshotSha256: candidate.snapshotSha256,
          definitionSha256: candidate.definitionSha256,
          evaluationKey: key,
          evaluationSha256: sha256,
          metrics: evaluation.overall.metrics,
          championMetrics: evaluation.comparison?.champion ?? null,
          ...(evaluation.notCompared !== undefined && { notCompared: evaluation.notCompared }),
          gates,
          contract,
          policy: policyAfter(definition.promotion, setBack),
          rollout: definition.rollout,
          cardSha256: await facts.cardDigest(model, version),
          trainedBy: actorOf((await runById(db, candidate.runId)).cause),
          before,
          rulesSha256: rulesDigest(rules),
          floorSha256: floorDigest(await readFloor(config, environment)),
          setBack,
        };
        const evidenceSha256 = digestOf(evidence);
        await store.putImmutable(objectKeys.evidence(model, evidenceSha256), canonicalJson(evidence), {
          contentType: 'application/json',
        });
        const expiresAt = new Date(promotion.requestedAt.getTime() + definition.promotion.expireAfterHours * 3_600_000);
        await showEvidence(db, promotionId, { evidence, evidenceSha256, expiresAt }, turn());
        return {
          evidenceSha256,
          champion: evidence.champion,
          summary: `${summaryOf(evaluation)}; for callers ${compatibilityText(contract)}`,
          conflict: null,
          policy: evidence.policy,
          ...(callers.notBefore !== null && { notBefore: callers.notBefore }),
        };
      });
    },
  };

  /**
   * The gates in force, asked of the evaluation that is shown.
   * @throws PerdureError `promotion/refused` where one does not pass.
   */
  function passedGates(
    { model, version }: VersionRecord,
    policy: EvaluationPolicy,
    evaluation: Evaluation,
  ): Evidence['gates'] {
    const { results } = decideGates(policy, evaluation);
    const open = results.filter((result) => result.outcome !== 'pass');
    if (open.length === 0) return results.map(({ name, outcome }) => ({ name, outcome }));
    const why = open.map((result) => `${result.name}: ${result.outcome}. ${result.reason}`).join(' ');
    throw new PerdureError(
      'promotion/refused',
      `${model}@${version} does not pass the gates in force: ${why} Train a version that does, or change ` +
        'evaluation.gates and apply.',
      { model, version },
    );
  }

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
    const unfair = knowsHoldout(
      await snapshotByDigest(db, champion.snapshotSha256),
      await snapshotByDigest(db, snapshotSha256),
    );
    return unfair ? null : champion;
  }

  /**
   * What was approved is what is served, in every environment: no promotion goes on with other bytes.
   * @throws PerdureError `artifact/digest-mismatch`.
   */
  async function mustBeTheSameBytes(
    { model, version, artifactSha256 }: VersionRecord,
    before: Evidence['before'],
  ): Promise<void> {
    const stored = await facts.artifactDigest(artifactSha256);
    const [found, where] =
      stored === artifactSha256 ? [before?.artifactSha256, before?.environment] : [stored, 'the store'];
    if (found === undefined || found === artifactSha256) return;
    throw new PerdureError(
      'artifact/digest-mismatch',
      `The artifact of ${model}@${version} is registered as ${artifactSha256}, but ${where} has ${found}: ` +
        'restore the registered bytes.',
      { model, version },
    );
  }

  async function evaluate(
    { definition, snapshotSha256, artifactSha256, champion, runId }: Comparison,
    signal: AbortSignal,
    report: (progress: string) => void,
  ): Promise<Evaluation> {
    const manifest = await snapshotByDigest(db, snapshotSha256);
    const workDir = await makeWorkFolder(config.home, 'evaluate');
    try {
      report('fetching models and holdout');
      const holdout = await Promise.all(
        manifest.holdout.map(async ({ key, sha256 }) => ({ path: await cache.fetch(key, sha256), sha256 })),
      );
      const nativePath = path.join(workDir, 'native.parquet');
      if (runId !== null) await store.getToFile(objectKeys.runFile(runId, 'holdout-native.parquet'), nativePath);
      return await evaluateModels(
        {
          candidate: {
            path: await cache.fetch(objectKeys.artifact(artifactSha256), artifactSha256),
            sha256: artifactSha256,
          },
          champion: champion && {
            path: await cache.fetch(champion.artifactKey, champion.artifactSha256),
            sha256: champion.artifactSha256,
            version: champion.version,
            threshold: champion.threshold,
            ...(await championRows(deps, {
              champion: await definitionByDigest(db, champion.definitionSha256),
              challenger: definition,
              manifest,
              workDir,
              signal,
              report,
            })),
          },
          holdout,
          contract: definition.contract,
          policy: definition.evaluation,
          native: runId === null ? null : { path: nativePath, column: 'probability' },
        },
        { signal, timeoutMs, onProgress: (step, donePct) => report(`${step} ${Math.round(donePct)} %`) },
      );
    } finally {
      await removeWorkFolder(workDir);
    }
  }

  async function keep(model: string, evaluation: Evaluation): Promise<{ key: string; sha256: string }> {
    const sha256 = digestOf(evaluation);
    const key = objectKeys.evaluation(model, sha256);
    await store.putImmutable(key, canonicalJson(evaluation), { contentType: 'application/json' });
    return { key, sha256 };
  }
}

export type EvaluationActivities = ReturnType<typeof createEvaluationActivities>;

/**
 * What is shown is measured at the threshold that the version is served with, whatever the rules in force would choose.
 */
const asServed = (definition: ModelDefinition, { threshold }: VersionRecord): ModelDefinition => ({
  ...definition,
  evaluation: { ...definition.evaluation, threshold },
});

const conflict = (reason: string) => ({ evidenceSha256: '', champion: null, summary: '', conflict: reason });

function summaryOf({ overall, comparison, championVersion, notCompared }: Evaluation): string {
  const text = (value: number | null | undefined) =>
    value === null || value === undefined ? 'undefined' : value.toFixed(4);
  const own =
    `ROC AUC ${text(overall.metrics.rocAuc)}, log loss ${text(overall.metrics.logLoss)} on ` + `${overall.rows} rows`;
  return comparison
    ? `${own}; champion ${championVersion}: ${text(comparison.champion.rocAuc)}, ${text(comparison.champion.logLoss)}`
    : notCompared === undefined
      ? `${own}; no champion to compare with on these rows`
      : `${own}; not compared with champion ${championVersion}: ${notCompared}`;
}
