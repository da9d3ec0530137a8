import type { SnapshotActivities } from '../../../activities/data/snapshot.js';
import type { RuledDecision } from '../../../activities/promotion/decisions.js';
import type { Reconciled } from '../../../activities/close-open-rows.js';
import type { GivingBack } from '../../../activities/rollout/giving-back.js';
import type { RolloutEnd } from '../../../activities/rollout/rollout-waits.js';
import type { SteeringToRule } from '../../../activities/rollout/steering.js';
import type { DayToCompact } from '../../../activities/serving/compaction.js';
import type { RetentionPass } from '../../../activities/serving/retention.js';
import type { DecisionProof, DecisionTrust } from '../../../domain/decision-trust.js';
import type { SampleOrder } from '../../../domain/data/snapshot/row-sample.js';
import type { Environment } from '../../../domain/names.js';
import { promotionPolicySchema, type PromotionPolicy } from '../../../domain/promotion/promotion-policy.js';
import type { LateLabelReview } from '../../../domain/rollout/late-label-review.js';
import { rolloutPolicySchema, type RolloutPolicy } from '../../../domain/rollout/rollout-policy.js';
import type { RouteTarget } from '../../../domain/serving/route.js';
import type { Verdict } from '../../../domain/verdict.js';

const quickSteps = [
  { sharePct: 5, minSeconds: 10, maxSeconds: 60 },
  { sharePct: 25, minSeconds: 10, maxSeconds: 60 },
  { sharePct: 100, minSeconds: 5, maxSeconds: 60 },
];

/**
 * What the fakes know and what was done to them: facts as Postgres would hold them, in memory. Here is what a test sets
 * and reads.
 */
export class WorldFacts {
  /** Each lease's holder, by the lease's name. */
  readonly leases = new Map<string, string>();
  refusedLeases = 0;
  /** Whether those who may overtake have waited long enough. */
  waitedLong = false;

  // Training.
  /** What comes out of a snapshot. */
  snapshot: Awaited<ReturnType<SnapshotActivities['takeSnapshot']>> = {
    outcome: 'taken',
    snapshotSha256: 'a'.repeat(64),
    watermark: '2013-03',
    summary: 'snapshot',
  };
  gateVerdict: Verdict = 'pass';
  /** Where registering asks for a promotion. */
  promote: Environment | null = null;
  /** The sample of an environment that runs take, and versions come from. */
  sample: SampleOrder | null = null;
  opened = 0;
  trained = 0;
  readonly foldsTrained: number[] = [];
  /** Artifacts that were given to the evaluation. */
  foldsEvaluated: string[] = [];
  registrations = 0;
  /** What was passed to the registration as the new watermark. */
  readonly watermarks: (string | null)[] = [];
  readonly runEnds: { outcome: string; reason: string; watermark: string | null }[] = [];

  // Promotions and the decisions on them.
  promotionPolicy: PromotionPolicy;
  champion: number | null = 1;
  evidence = 1;
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
  /** Versions whose promotions into the same place wait, and the newer one that was asked for since. */
  olderWaiting: number[] = [];
  newerCandidate: number | null = null;
  /** What a check just before the effect finds, check by check; the last one stays. */
  checks: { holds: boolean; reason: string }[] = [{ holds: true, reason: '' }];
  readonly promotions: { workflowId: string; environment: string; requestedBy: string }[] = [];
  readonly promotionStates: string[] = [];
  readonly rulings: (RuledDecision & { via: string; selfApproved: boolean; evidenceSha256: string | null })[] = [];
  readonly policyApprovals: string[] = [];
  /** How often evidence was gathered. */
  gathered = 0;
  reminders = 0;
  escalations = 0;

  // Rollouts, their routes and their reviews.
  rolloutPolicy: RolloutPolicy;
  /** What the judge says, look by look; the last one stays. */
  verdicts: Verdict[] = ['pass'];
  /** Whether an A/B test has reached its horizon. */
  exhausted = false;
  /** How many rollouts find another champion than the one that was approved against. */
  staleRollouts = 0;
  /** How a rollout ended that an earlier run of its promotion began. */
  rolloutEnd: RolloutEnd = { rolloutId: 'r', state: 'completed', reason: 'done', epoch: 2 };
  rollouts: { state: string; reason: string | null }[] = [];
  readonly cancelledRollouts: string[] = [];
  /** The number of each look that the judge was asked for. */
  readonly looks: number[] = [];
  /** What was said to rollouts, taken or not. */
  readonly steered: (Pick<SteeringToRule, 'command' | 'actor' | 'reason' | 'via' | 'stage'> & {
    roles: string[];
    accepted: boolean;
    answer: string;
  })[] = [];
  readonly routes: ({ epoch: number; reason: string; key: string; by?: string } & RouteTarget)[] = [];
  review: { lookEveryMs: number; giveUpAfterMs: number; onFail: 'rollback' | 'record' } = {
    lookEveryMs: 24 * 3_600_000,
    giveUpAfterMs: 30 * 24 * 3_600_000,
    onFail: 'rollback',
  };
  /** What late labels say, look by look; the last one stays. */
  lateVerdicts: Verdict[] = ['no-data'];
  readonly lastWords: LateLabelReview[] = [];

  // Gateways.
  answers: (version: number) => boolean = () => true;
  /** What gateways say that refuse to probe a version. */
  refuses: (version: number) => string | undefined = () => undefined;
  acknowledges: (epoch: number) => boolean = () => true;
  readonly probed: number[] = [];

  // The jobs that go on for ever.
  /** What the reconciler finds, pass by pass. */
  readonly found: Reconciled[] = [];
  givingBack: GivingBack = {
    ...{ rolloutId: 'r', environment: 'production', model: 'flight-delay', why: 'its workflow was terminated' },
    ...{ to: { champion: 1, epoch: 2 }, note: '' },
  };
  readonly closedUnwatched: string[] = [];
  rollUps = 0;
  /** What each removal does, call by call; after the last one nothing is left. */
  readonly removals: (RetentionPass | Error)[] = [];
  /** Removals that were asked for. */
  removed = 0;
  /** The days that each search finds; after the last one there are none. */
  readonly daysToCompact: DayToCompact[][] = [];
  readonly compacted: DayToCompact[] = [];

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

  /** Shares of version 2 over time. */
  get challengerShares(): number[] {
    return this.routes.slice(1).map((route) => route.split.find((part) => part.version === 2)?.sharePct ?? 0);
  }
}

/** A route that gives everything to one version, as it stood before a workflow began. */
export function wholeRoute(epoch: number, version: number, key: string): WorldFacts['routes'][number] {
  return { epoch, split: [{ version, sharePct: 100 }], shadows: [], standby: [], overrides: [], reason: key, key };
}
