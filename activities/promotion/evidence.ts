import { whyOvertaken } from '../../domain/promotion/promotion-preconditions.js';
import { checkValueMetrics } from '../../adapters/data-engine/expressions/check-expressions.js';
import { canonicalJson, digestOf } from '../../domain/canonical-json.js';
import { actorOf } from '../../domain/cause.js';
import { evaluationSchema, type Evaluation } from '../../domain/evaluation/evaluation.js';
import { compatibilityText } from '../../domain/data/contract-compatibility.js';
import { floorDigest } from '../../domain/promotion/floor.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import type { Environment } from '../../domain/names.js';
import type { SnapshotManifest } from '../../domain/data/snapshot/snapshot.js';
import { objectKeys } from '../../domain/object-keys.js';
import type { Evidence } from '../../domain/promotion/promotion.js';
import type { PromotionPolicy } from '../../domain/promotion/promotion-policy.js';
import { measuresAlike, policyAfter, rulesDigest, underRulesInForce } from '../../domain/promotion/rules-in-force.js';
import { definitionByDigest, mustBeAsStored, rulesInForce } from '../../db/model/definition-queries.js';
import { snapshotByDigest } from '../../db/data/partition-queries.js';
import { showEvidence, promotionById } from '../../db/promotion/promotion-queries.js';
import { setBackOf } from '../../db/rollout/champion-history.js';
import { runById } from '../../db/training/run-queries.js';
import { versionOf, type VersionRecord } from '../../db/model/version-queries.js';
import { createEvaluator, summaryOf } from '../evaluation/evaluator.js';
import type { ActivityDependencies } from '../dependencies.js';
import { readFloor } from './environment-floor.js';
import { evidenceRequirements, type Place } from './evidence-requirements.js';
import { evidenceFacts } from './evidence-facts.js';
import { withHeartbeat } from '../heartbeat.js';
import { writeOrder } from '../write-order.js';

export interface ShownEvidence {
  evidenceSha256: string;
  champion: number | null;
  summary: string;
  conflict: string | null;
  policy?: PromotionPolicy;
  /** The moment of a declared cut-over that is still to come. */
  notBefore?: string;
}

/** What people are shown before they decide on a promotion: written once, named by its digest. */
export function createEvidenceActivities(deps: ActivityDependencies) {
  const { db, store, config } = deps;
  const facts = evidenceFacts(deps);
  const { askCallers, mustBeAboveFloor, mustBeTheSameBytes, passedGates } = evidenceRequirements(deps);
  const { championIn, fairChampionIn, whyLeftOut, evaluate, keep } = createEvaluator(deps);
  return {
    async gatherEvidence(asked: Place): Promise<ShownEvidence> {
      return withHeartbeat(async (signal, report) => {
        const { model, version, environment } = asked;
        const candidate = await versionOf(db, model, version);
        const champion = await championIn(environment, model);
        const promotion = await promotionById(db, asked.promotionId);
        const conflict = whyOvertaken(asked, champion?.version, promotion.evidence !== null);
        if (conflict !== null) return { evidenceSha256: '', champion: null, summary: '', conflict };
        const rules = (await rulesInForce(db, model)).definition;
        await mustBeAsStored(db, model, candidate.definitionSha256);
        const own = await definitionByDigest(db, candidate.definitionSha256);
        const definition = underRulesInForce(own, rules);
        const callers = await askCallers(asked, own.contract, rules);
        await checkValueMetrics(definition);
        const measured = await measure(environment, candidate, { own, definition }, signal, report);
        await mustBeAboveFloor(asked, candidate, rules);
        const gates = passedGates(candidate, { ...own, evaluation: rules.evaluation }, measured.evaluation);
        report('checking the artifact in the store');
        const setBack = await setBackOf(db, { environment, model, version });
        const before = await facts.before(definition.promotion.environments, asked);
        await mustBeTheSameBytes(candidate, before);
        const evidence: Evidence = {
          ...{ model, version, environment, champion: champion?.version ?? null },
          artifactSha256: candidate.artifactSha256,
          snapshotSha256: candidate.snapshotSha256,
          definitionSha256: candidate.definitionSha256,
          ...sampleOf(await snapshotByDigest(db, candidate.snapshotSha256)),
          ...evaluationFacts(measured),
          gates,
          contract: callers.contract,
          policy: policyAfter(definition.promotion, setBack),
          rollout: definition.rollout,
          cardSha256: await facts.cardDigest(model, version),
          trainedBy: actorOf((await runById(db, candidate.runId)).cause),
          before,
          rulesSha256: rulesDigest(rules),
          floorSha256: floorDigest(await readFloor(config, environment)),
          setBack,
        };
        const evidenceSha256 = await keepEvidence(store, evidence);
        const expiresAt = new Date(promotion.requestedAt.getTime() + definition.promotion.expireAfterHours * 3_600_000);
        await showEvidence(db, asked.promotionId, { evidence, evidenceSha256, expiresAt }, writeOrder());
        return {
          evidenceSha256,
          champion: evidence.champion,
          summary: `${summaryOf(measured.evaluation)}; for callers ${compatibilityText(callers.contract)}`,
          conflict: null,
          policy: evidence.policy,
          ...(callers.notBefore !== null && { notBefore: callers.notBefore }),
        };
      });
    },
  };

  /** The run's own evaluation serves while it measured as the rules in force do, against the champion of today. */
  async function measure(
    environment: Environment,
    candidate: VersionRecord,
    { own, definition }: { own: ModelDefinition; definition: ModelDefinition },
    signal: AbortSignal,
    report: (progress: string) => void,
  ) {
    const { model, evaluationKey, snapshotSha256 } = candidate;
    const kept = evaluationSchema.parse(JSON.parse(new TextDecoder().decode(await store.get(evaluationKey))));
    const champion = await fairChampionIn(environment, model, snapshotSha256);
    const fits =
      kept.championSha256 === (champion?.artifactSha256 ?? null) &&
      measuresAlike(own.evaluation, definition.evaluation);
    const { folds } = candidate.lineage;
    const again = { ...candidate, folds, definition: servedDefinition(definition, candidate), champion };
    const leftOut = await whyLeftOut(environment, model, snapshotSha256);
    const evaluation = { ...(fits ? kept : await evaluate(again, signal, report)), ...leftOut };
    return { evaluation, ...(await keep(model, evaluation)) };
  }
}

/** @returns its digest. */
async function keepEvidence(store: ActivityDependencies['store'], evidence: Evidence): Promise<string> {
  const sha256 = digestOf(evidence);
  await store.putImmutable(objectKeys.evidence(evidence.model, sha256), canonicalJson(evidence), {
    contentType: 'application/json',
  });
  return sha256;
}

export type EvidenceActivities = ReturnType<typeof createEvidenceActivities>;

const sampleOf = ({ sample }: SnapshotManifest): Pick<Evidence, 'sample'> => (sample === undefined ? {} : { sample });

const evaluationFacts = ({ evaluation, key, sha256 }: { evaluation: Evaluation; key: string; sha256: string }) => ({
  evaluationKey: key,
  evaluationSha256: sha256,
  metrics: evaluation.overall.metrics,
  championMetrics: evaluation.comparison?.champion ?? null,
  ...(evaluation.notCompared !== undefined && { notCompared: evaluation.notCompared }),
});

/**
 * What is shown is measured at the threshold that the version is served with, whatever the rules in force would choose.
 */
const servedDefinition = (definition: ModelDefinition, { threshold }: VersionRecord): ModelDefinition => ({
  ...definition,
  evaluation: { ...definition.evaluation, threshold },
});
