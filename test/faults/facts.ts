import type { Evidence } from '../../domain/promotion/promotion.js';
import type { RolloutStage } from '../../domain/rollout/judge/rollout-stage.js';
import type { RouteTarget } from '../../domain/serving/route.js';

/** Place in the order in which Postgres took the writes. */
type Recorded = { order: number };

/** A write to a table, as a trigger noted it. */
export type Written<Row> = Recorded & { change: 'INSERT' | 'UPDATE' | 'DELETE'; row: Row };

export interface RouteRow extends RouteTarget {
  environment: string;
  model: string;
  epoch: number;
  idempotencyKey: string;
  leaseToken: number;
}

export interface LeaseRow {
  name: string;
  holder: string;
  token: number;
  acquiredAt: string;
  releasedAt: string | null;
}

export interface AcknowledgementRow {
  gatewayId: string;
  environment: string;
  model: string;
  storeId: string;
  epoch: number;
  error: string | null;
}

export interface RolloutRow {
  id: string;
  environment: string;
  model: string;
  champion: number | null;
  challenger: number;
  promotionId: string | null;
  state: string;
  stages: Pick<RolloutStage, 'challengerPct' | 'shadowPct' | 'standby'>[];
}

export interface PromotionRow {
  id: string;
  model: string;
  version: number;
  environment: string;
  state: string;
  evidenceSha256: string | null;
  evidence: Pick<Evidence, 'policy' | 'champion'> | null;
}

export interface DecisionRow {
  promotionId: string;
  sequence: number;
  actor: string;
  decision: 'approve' | 'reject' | 'withdraw';
  roles: string[] | null;
  via: string;
  evidenceSha256: string | null;
  counted: boolean;
}

/** An approval whose sender was told that it counts. */
export interface ToldApproval {
  promotionId: string;
  actor: string;
}

/**
 * A probe that a workflow has made of a version: how many gateways answered with it, or the epoch that came in between.
 */
export interface Probed {
  runId: string;
  version: number;
  answered: number;
  replacedBy: number | null;
}

/** One request, asked again under its id until it was answered. Times are of the caller's monotonic clock, in ms. */
export interface Asked {
  id: string;
  /** Null where nobody answered in time. */
  answer: { gateway: string; version: number; epoch: number; sentAt: number; answeredAt: number } | null;
  /** Of what got no answer: for how long it was asked for, and what each try heard. */
  gaveUp?: { sentAt: number; endedAt: number; said: string[] };
}

/**
 * What a drill leaves behind: every write to the tables that matter, what callers were told, and what workflows
 * recorded.
 */
export interface Facts {
  routes: Written<RouteRow>[];
  leases: Written<LeaseRow>[];
  acknowledgements: Written<AcknowledgementRow>[];
  rollouts: Written<RolloutRow>[];
  promotions: Written<PromotionRow>[];
  decisions: Written<DecisionRow>[];
  told: ToldApproval[];
  asked: Asked[];
  /** Every probe that a rollout or rollback recorded as done, oldest first of each. */
  probes: Probed[];
  /** What replaying each workflow's history on the present code said, by workflow and run; null where it agrees. */
  replays: Record<string, string | null>;
}

/** What is wrong, one sentence each; empty when the invariant holds. */
export type Check = (facts: Facts) => string[];

/** Groups in the order of first appearance. */
export function grouped<T>(values: readonly T[], keyOf: (value: T) => string): T[][] {
  const groups = new Map<string, T[]>();
  for (const value of values) {
    const key = keyOf(value);
    const group = groups.get(key);
    if (group) group.push(value);
    else groups.set(key, [value]);
  }
  return [...groups.values()];
}

/** A row as it stood last, by its key. */
export function latest<Row>(written: readonly Written<Row>[], keyOf: (row: Row) => string): Row[] {
  return grouped(written, ({ row }) => keyOf(row)).flatMap((group) => group.slice(-1).map(({ row }) => row));
}

export const isOver = (state: string): boolean => state !== 'running' && state !== 'paused';
