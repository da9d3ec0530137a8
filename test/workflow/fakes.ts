import type { z } from 'zod';
import type { GatewayActivities } from '../../activities/serving/gateways.js';
import type { EvaluationActivities } from '../../activities/evaluation/evaluation.js';
import type { EvidenceActivities } from '../../activities/promotion/evidence.js';
import type { LeaseActivities } from '../../activities/leases.js';
import type { PromotionActivities, RuledDecision } from '../../activities/promotion/promotions.js';
import type { RegistryActivities } from '../../activities/model/registry.js';
import type { RequestActivities } from '../../activities/requests.js';
import type { ReviewActivities } from '../../activities/rollout/reviews.js';
import type { RolloutLookActivities } from '../../activities/rollout/rollout-looks.js';
import type { RolloutActivities } from '../../activities/rollout/rollouts.js';
import type { RolloutEnd, RolloutWaitActivities } from '../../activities/rollout/rollout-waits.js';
import type { GivingBack, Reconciled, ReconciliationActivities } from '../../activities/reconciliation.js';
import type { RunActivities } from '../../activities/training/runs.js';
import type { SnapshotActivities } from '../../activities/data/snapshot.js';
import type { SupersedingActivities } from '../../activities/promotion/superseding.js';
import type { TrainingActivities } from '../../activities/training/training.js';
import { PerdureError } from '../../domain/errors.js';
import type { DelayedLabelReview } from '../../domain/rollout/delayed-label-review.js';
import { holderText } from '../../domain/lease.js';
import { promotionPolicySchema, type PromotionPolicy } from '../../domain/promotion/promotion-policy.js';
import type { DecisionProof, DecisionTrust } from '../../domain/decision-proof.js';
import { ruleOnDecision } from '../../domain/promotion/decision-ruling.js';
import { decisionSchema } from '../../domain/promotion/promotion.js';
import {
  promoteRequestSchema,
  reviewRequestSchema,
  rollbackRequestSchema,
  rolloutRequestSchema,
  trainRequestSchema,
} from '../../domain/requests.js';
import { rolloutPolicySchema, type RolloutPolicy } from '../../domain/rollout/rollout-policy.js';
import { inconclusiveEnd } from '../../domain/rollout/rollout.js';
import type { RolloutStage } from '../../domain/rollout/judge/rollout-stage.js';
import { routeOfStage, stagesOf, type RolloutParties } from '../../domain/rollout/rollout-stage.js';
import { whyNotSteered } from '../../domain/rollout/steering.js';
import type { SteeringActivities, SteeringToRule } from '../../activities/rollout/steering.js';
import { championOf, versionsOfRoute, type RouteTarget } from '../../domain/serving/route.js';
import { describeIssues } from '../../domain/schema-issue.js';
import type { Verdict } from '../../domain/verdict.js';

export const acknowledgedAt = '2026-01-01T00:00:01.000Z';
export const probedAt = '2026-01-01T00:00:02.000Z';

type AllActivities = RunActivities &
  SupersedingActivities &
  LeaseActivities &
  PromotionActivities &
  RegistryActivities &
  RolloutActivities &
  RolloutLookActivities &
  RolloutWaitActivities &
  ReconciliationActivities &
  ReviewActivities &
  GatewayActivities &
  SnapshotActivities &
  SteeringActivities &
  TrainingActivities &
  EvaluationActivities &
  EvidenceActivities;

const quickSteps = [
  { sharePct: 5, minSeconds: 10, maxSeconds: 60 },
  { sharePct: 25, minSeconds: 10, maxSeconds: 60 },
  { sharePct: 100, minSeconds: 5, maxSeconds: 60 },
];

/** What the fakes know and what was done to them: facts as Postgres would hold them, in memory. */
export class FakeWorld {
  promotionPolicy: PromotionPolicy;
  rolloutPolicy: RolloutPolicy;
  champion: number | null = 1;
  /** Why evidence cannot be gathered any more. */
  conflict: string | null = null;
  /** The moment of a declared cut-over. */
  notBefore: string | undefined;
  roles: Record<string, string[]> = {};
  allowRequester = false;
  /** Who caused the training of the version. */
  trainedBy = 'tom';
  trust: DecisionTrust = 'frontend';
  /** What is known of a signature, by its text. */
  proofs: Record<string, DecisionProof> = {};
  /** What the judge says, look by look; the last one stays. */
  verdicts: Verdict[] = ['pass'];
  /** What comes out of a snapshot. */
  snapshot: Awaited<ReturnType<SnapshotActivities['takeSnapshot']>> = {
    outcome: 'taken',
    snapshotSha256: 'a'.repeat(64),
    watermark: '2013-03',
    summary: 'snapshot',
  };
  gateVerdict: Verdict = 'pass';
  evidence = 1;
  /** Versions whose promotions into the same place wait, and the newer one that was asked for since. */
  olderWaiting: number[] = [];
  newerCandidate: number | null = null;
  /** What a check just before the effect finds, check by check; the last one stays. */
  checks: { holds: boolean; reason: string }[] = [{ holds: true, reason: '' }];
  /** Where registering asks for a promotion. */
  promote: 'production' | 'staging' | null = null;
  answers: (version: number) => boolean = () => true;
  /** What gateways say that refuse to probe a version. */
  refuses: (version: number) => string | undefined = () => undefined;
  acknowledges: (epoch: number) => boolean = () => true;

  /** What late labels say, look by look; the last one stays. */
  lateVerdicts: Verdict[] = ['no-data'];
  review: { lookEveryMs: number; giveUpAfterMs: number; onFail: 'rollback' | 'record' } = {
    lookEveryMs: 24 * 3_600_000,
    giveUpAfterMs: 30 * 24 * 3_600_000,
    onFail: 'rollback',
  };
  /** How a rollout ended that an earlier run of its promotion began. */
  rolloutEnd: RolloutEnd = { rolloutId: 'r', state: 'completed', reason: 'done', epoch: 2 };
  readonly cancelledRollouts: string[] = [];
  /** What the reconciler finds, pass by pass. */
  readonly found: Reconciled[] = [];
  givingBack: GivingBack = {
    ...{ rolloutId: 'r', environment: 'production', model: 'flight-delay', why: 'its workflow was terminated' },
    ...{ to: { champion: 1, epoch: 2 }, note: '' },
  };
  readonly closedUnwatched: string[] = [];
  readonly lastWords: DelayedLabelReview[] = [];
  /** How many rollouts find another champion than the one that was approved against. */
  staleRollouts = 0;
  /** Whether an A/B test has reached its horizon. */
  exhausted = false;
  /** What was planned last. */
  private stages: RolloutStage[] = [];
  private parties: RolloutParties | undefined;

  readonly routes: ({ epoch: number; reason: string; key: string; by?: string } & RouteTarget)[] = [];
  readonly runEnds: { outcome: string; reason: string; watermark: string | null }[] = [];
  readonly promotionStates: string[] = [];
  readonly rulings: (RuledDecision & { via: string; selfApproved: boolean; evidenceSha256: string | null })[] = [];
  readonly policyApprovals: string[] = [];
  readonly promotions: { workflowId: string; environment: string; requestedBy: string }[] = [];
  /** How often evidence was gathered. */
  gathered = 0;
  readonly leases = new Map<string, string>();
  readonly probed: number[] = [];
  /** The number of each look that the judge was asked for. */
  readonly looks: number[] = [];
  /** What was passed to the registration as the new watermark. */
  readonly watermarks: (string | null)[] = [];
  registrations = 0;
  trained = 0;
  opened = 0;
  refusedLeases = 0;
  /** Whether those who may overtake have waited long enough. */
  waitedLong = false;
  reminders = 0;
  escalations = 0;
  rollouts: { state: string; reason: string | null }[] = [];
  /** What was said to rollouts, taken or not. */
  readonly steered: (Pick<SteeringToRule, 'command' | 'actor' | 'reason' | 'via' | 'stage'> & {
    roles: string[];
    accepted: boolean;
    answer: string;
  })[] = [];

  constructor({
    promotion = {},
    rollout = {},
  }: { promotion?: Record<string, unknown>; rollout?: Record<string, unknown> } = {}) {
    this.promotionPolicy = promotionPolicySchema.parse(promotion);
    this.rolloutPolicy = rolloutPolicySchema.parse(
      'strategy' in rollout
        ? { lookEverySeconds: 5, ...rollout }
        : { strategy: 'canary', lookEverySeconds: 5, steps: quickSteps, ...rollout },
    );
    if (this.champion !== null) this.routes.push(wholeRoute(1, this.champion, 'before'));
  }

  readonly local: RequestActivities = {
    parseTrainRequest: async (input) => {
      const { model, until, cause, force } = parse(trainRequestSchema, input);
      return {
        model,
        until: until ?? null,
        cause,
        force,
        definitionSha256: 'd'.repeat(64),
        priority: 3,
        ignoreWatermark: false,
      };
    },
    parsePromoteRequest: async (input) => {
      const { model, version, environment, requestedBy, alsoShadow } = parse(promoteRequestSchema, input);
      return {
        model,
        version,
        environment: environment ?? 'production',
        requestedBy,
        alsoShadow,
        policy: this.promotionPolicy,
        expiresInMs: this.promotionPolicy.expireAfterHours * 3_600_000,
      };
    },
    parseRolloutRequest: async (input) => {
      const { promotionId, ...rest } = parse(rolloutRequestSchema, input);
      return { ...rest, promotionId: promotionId ?? null };
    },
    parseReviewRequest: async (input) => parse(reviewRequestSchema, input),
    parseRollbackRequest: async (input) => {
      const { to, epoch, ...rest } = parse(rollbackRequestSchema, input);
      return { ...rest, to: to ?? null, leaves: epoch ?? this.routes.at(-1)?.epoch ?? 1, undoes: null };
    },
  };

  private take(name: string, holder: { workflowId: string; runId: string }, overtakes = false) {
    const text = holderText(holder);
    const held = this.leases.get(name);
    if (held !== undefined && held !== text && !overtakes) {
      this.refusedLeases += 1;
      throw new PerdureError('lease/held', `held by ${held}`);
    }
    this.leases.set(name, text);
    return { name, holder: text, token: 1 };
  }

  readonly remote: AllActivities = {
    openRun: async () => void (this.opened += 1),
    closeRun: async ({ outcome, reason, watermark }) => void this.runEnds.push({ outcome, reason, watermark }),
    takeTrainingLease: async ({ model, holder }) => this.take(`train/${model}`, holder),
    takeRolloutLease: async ({ environment, model, holder, takeOverAfterSeconds }) =>
      this.take(`rollout/${environment}/${model}`, holder, takeOverAfterSeconds !== undefined && this.waitedLong),
    releaseLease: async ({ name, holder }) => {
      if (this.leases.get(name) === holder) this.leases.delete(name);
    },
    takeSnapshot: async () => this.snapshot,
    train: async () => {
      this.trained += 1;
      return { artifactSha256: 'b'.repeat(64), environmentSha256: 'e'.repeat(64), summary: 'trained' };
    },
    evaluateRun: async () => ({ evaluationKey: 'evaluation', summary: 'evaluated' }),
    decideRunGates: async () => ({ verdict: this.gateVerdict, summary: `gates: ${this.gateVerdict}` }),
    registerRun: async ({ watermark }) => {
      this.registrations += 1;
      this.watermarks.push(watermark);
      return { version: 2, promote: this.promote, promoteReason: 'not in this test' };
    },
    gatherEvidence: async () => {
      this.gathered += 1;
      return {
        evidenceSha256: String(this.evidence).repeat(64).slice(0, 64),
        champion: this.champion,
        summary: 'better',
        conflict: this.conflict,
        ...(this.notBefore !== undefined && { notBefore: this.notBefore }),
      };
    },
    supersedeOlder: async () => ({ versions: this.olderWaiting }),
    supersededBy: async () => ({ version: this.newerCandidate }),
    openPromotion: async ({ workflowId, environment, requestedBy }) =>
      void this.promotions.push({ workflowId, environment, requestedBy }),
    setPromotionState: async ({ state }) => void this.promotionStates.push(state),
    remind: async () => void (this.reminders += 1),
    escalate: async () => void (this.escalations += 1),
    recordPolicyApproval: async ({ reason }) => void this.policyApprovals.push(reason),
    ruleOnDecision: async ({ decision, via, earlier, shownEvidenceSha256, closedBecause, escalated = false }) => {
      const parsed = decisionSchema.parse(decision);
      const roles = this.roles[parsed.actor] ?? [];
      const ruling =
        closedBecause !== null || shownEvidenceSha256 === null
          ? { counted: false, selfApproved: false, reason: closedBecause ?? 'no evidence' }
          : ruleOnDecision(parsed, {
              policy: this.promotionPolicy,
              requestedBy: this.promotions.at(-1)?.requestedBy ?? 'unknown',
              trainedBy: this.trainedBy,
              roles,
              allowRequester: this.allowRequester,
              shownEvidenceSha256,
              via,
              earlier,
              escalated,
              trust: this.trust,
              proof: this.proofs[parsed.signature ?? ''] ?? { kind: 'unsigned' },
            });
      const ruled = {
        actor: parsed.actor,
        decision: parsed.decision,
        counted: ruling.counted,
        reason: ruling.reason,
        roles,
      };
      this.rulings.push({ ...ruled, via, selfApproved: ruling.selfApproved, evidenceSha256: shownEvidenceSha256 });
      return ruled;
    },
    verifyPromotion: async () =>
      (this.checks.length > 1 ? this.checks.shift() : this.checks[0]) ?? { holds: false, reason: 'nothing known' },
    planRollout: async ({ challenger, alsoShadow }) => {
      if (this.staleRollouts-- > 0) throw new PerdureError('promotion/stale', 'version 9 is champion now');
      const champion = this.champion === challenger ? null : this.champion;
      const stages = stagesOf(this.rolloutPolicy, { hasChampion: champion !== null });
      this.parties = { champion, challenger, alsoShadow, testers: this.rolloutPolicy.testers };
      this.stages = stages;
      const { lookEverySeconds, acknowledgeWithinSeconds, lateLabels } = this.rolloutPolicy;
      return {
        champion,
        stages: stages.map((stage) => ({ ...stage, onInconclusive: inconclusiveEnd(this.rolloutPolicy, stage) })),
        ...{ lookEverySeconds, acknowledgeWithinSeconds, lateLabels: lateLabels !== undefined && champion !== null },
        changes: [],
      };
    },
    ruleOnSteering: async ({ command, actor, refusedBecause, answer, ...said }) => {
      const roles = this.roles[actor] ?? [];
      const proof: DecisionProof = this.proofs[said.signature ?? ''] ?? { kind: 'unsigned' };
      const refused =
        refusedBecause ??
        whyNotSteered({ command, actor, roles, mayMove: ['approver', 'owner'], trust: this.trust, proof });
      this.steered.push({ command, actor, roles, accepted: refused === null, answer: refused ?? answer, ...said });
      return { accepted: refused === null, reason: refused ?? answer, roles };
    },
    setRolloutState: async ({ state, reason }) => void this.rollouts.push({ state, reason }),
    writeRoute: async ({ target, reason, idempotencyKey, lease, by }) => {
      if (this.leases.get(lease.name) !== lease.holder)
        throw new PerdureError('lease/lost', `${lease.name} is held by another`);
      const before = this.routes.find((route) => route.key === idempotencyKey);
      if (before) return { epoch: before.epoch };
      const epoch = (this.routes.at(-1)?.epoch ?? 0) + 1;
      const whole = { shadows: [], standby: [], overrides: [] };
      const stage = 'stage' in target ? this.stages[target.stage] : undefined;
      const written =
        'split' in target ? { ...whole, ...target } : stage && this.parties && routeOfStage(stage, this.parties);
      if (!written) throw new Error('the rollout was never planned');
      this.routes.push({ epoch, ...written, reason, key: idempotencyKey, ...(by && { by: by.actor }) });
      return { epoch };
    },
    lookAtRollout: async ({ look }) => {
      this.looks.push(look);
      const verdict = (this.verdicts.length > 1 ? this.verdicts.shift() : this.verdicts[0]) ?? 'no-data';
      return { verdict, summary: `${verdict}.`, exhausted: this.exhausted };
    },
    awaitRolloutTurn: async () => undefined,
    awaitRolloutEnd: async () => this.rolloutEnd,
    cancelRollout: async ({ rolloutId }) => void this.cancelledRollouts.push(rolloutId),
    reconcileOpenRows: async () => this.found.shift() ?? { closed: [], unwatched: [] },
    watchOpenRows: async () => this.found.shift() ?? { closed: [], unwatched: [] },
    planGivingBack: async () => this.givingBack,
    closeUnwatched: async ({ reason }) => void this.closedUnwatched.push(reason),
    planReview: async () => ({ model: 'flight-delay', environment: 'production', version: 2, ...this.review }),
    lookAtLabels: async ({ last }) => {
      const verdict = (this.lateVerdicts.length > 1 ? this.lateVerdicts.shift() : this.lateVerdicts[0]) ?? 'no-data';
      const word = { verdict, reason: `late labels say ${verdict}`, coveragePct: 90, at: '2026-01-01T00:00:00.000Z' };
      return { decided: last || verdict === 'pass' || verdict === 'fail', word };
    },
    recordLastWord: async ({ word }) => void this.lastWords.push(word),
    epochToLeave: async ({ version }) => {
      const route = this.routes.at(-1);
      return route && championOf(route.split) === version ? route.epoch : null;
    },
    planRollback: async ({ to, leaves = null }) => {
      const seen = this.routes.filter((route) => leaves === null || route.epoch <= leaves);
      const left = championOf(seen.at(-1)?.split ?? [{ version: 0, sharePct: 100 }]);
      const version = to ?? seen.map((route) => championOf(route.split)).findLast((one) => one !== left) ?? 0;
      const now = this.routes.at(-1);
      const done =
        now !== undefined &&
        now.split.length === 1 &&
        championOf(now.split) === version &&
        now.epoch > (leaves ?? Infinity);
      return { version, alreadySince: done ? now.epoch : null };
    },
    waitForAcknowledgement: async ({ epoch }) => ({
      all: this.acknowledges(epoch),
      gateways: 'g1',
      missing: this.acknowledges(epoch) ? '' : 'g1 (at epoch 1)',
    }),
    waitUntilAcknowledged: async ({ epoch }) => ({
      all: true,
      gateways: 'g1',
      missing: '',
      serving: [{ gateway: 'g1', epoch, at: acknowledgedAt }],
    }),
    probe: async ({ version }) => {
      const route = this.routes.at(-1);
      if (route && !versionsOfRoute(route).includes(version))
        return { answered: 0, probes: [], replacedBy: route.epoch };
      if (!this.answers(version)) throw new PerdureError('server/unreachable', `version ${version} does not answer`);
      const refused = this.refuses(version);
      if (refused !== undefined) return { answered: 0, probes: [], replacedBy: null, refused };
      this.probed.push(version);
      return { answered: 1, probes: [{ gateway: 'g1', version, tookMs: 3, at: probedAt }], replacedBy: null };
    },
  };

  /** Shares of version 2 over time. */
  get challengerShares(): number[] {
    return this.routes.slice(1).map((route) => route.split.find((part) => part.version === 2)?.sharePct ?? 0);
  }
}

/** A route that gives everything to one version, as it stood before a workflow began. */
export function wholeRoute(epoch: number, version: number, key: string): FakeWorld['routes'][number] {
  return { epoch, split: [{ version, sharePct: 100 }], shadows: [], standby: [], overrides: [], reason: key, key };
}

function parse<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new PerdureError('input/invalid', describeIssues(parsed.error.issues));
}
