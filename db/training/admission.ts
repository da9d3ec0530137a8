import { and, eq, inArray, isNull, ne, or, sql } from 'drizzle-orm';
import { leaseNames } from '../../domain/ids.js';
import { holderText, type LeaseGrant, type LeaseHolder } from '../../domain/lease-holder.js';
import {
  decideAdmission,
  trainingsPerModelLimit,
  type Admission,
  type HeldSlot,
  type WaitingRun,
} from '../../domain/training/admission.js';
import { runPriorities } from '../../domain/training/run-priority.js';
import type { Database } from '../connect.js';
import { acquireLease } from '../lease-queries.js';
import { leases, runs } from '../schema/index.js';

/** How often a waiting run's question is written down: whether it still asks matters by the minute. */
const askedEverySeconds = 30;
/** Waiting runs of one model and priority that are looked at; those that go first. */
const othersMax = 100;

type AdmissionAnswer = { grant: LeaseGrant } | (Extract<Admission, { kind: 'waits' }> & { held: HeldSlot[] });

/**
 * Gives a run a slot of its model where its turn has come, or finds the one that it has (a repeated activity). One asks
 * at a time, so that never more than `perModelMax` have one.
 */
export async function admitRun(
  db: Database,
  { model, holder, perModelMax }: { model: string; holder: LeaseHolder; perModelMax: number },
): Promise<AdmissionAnswer> {
  const { runId, workflowId } = holder;
  const text = holderText(holder);
  const slots = Array.from({ length: trainingsPerModelLimit }, (_, index) => leaseNames.training(model, index + 1));
  return db.orm.transaction(async (tx) => {
    await tx.execute(sql`select pg_advisory_xact_lock(hashtextextended(${leaseNames.training(model)}, 0))`);
    const held = await tx
      .select({ name: leases.name, holder: leases.holder, token: leases.token })
      .from(leases)
      .where(and(inArray(leases.name, slots), isNull(leases.releasedAt)));
    const own = held.find((one) => one.holder === text);
    if (own) return { grant: own };
    const open = and(eq(runs.model, model), isNull(runs.finishedAt), isNull(runs.admittedAt));
    const columns = {
      runId: runs.id,
      workflowId: runs.workflowId,
      priority: runs.priority,
      startedAt: runs.startedAt,
      askedAt: runs.askedAt,
    };
    // Of one priority, who came first goes first for ever: so these are all that can go before, however long they wait.
    const others: WaitingRun[] = [];
    for (let priority: number = runPriorities.first; priority <= runPriorities.last; priority += 1)
      others.push(
        ...(await tx
          .select(columns)
          .from(runs)
          .where(and(open, eq(runs.priority, priority), ne(runs.id, runId)))
          .orderBy(runs.startedAt)
          .limit(othersMax)),
      );
    const now = new Date();
    const [known] = await tx.select(columns).from(runs).where(eq(runs.id, runId));
    const run = known ?? { runId, workflowId, priority: 3, startedAt: now, askedAt: null };
    const decided = decideAdmission(run, { others, held, perModelMax, now, model });
    if (decided.kind === 'waits') {
      await tx
        .update(runs)
        .set({ askedAt: sql`now()` })
        .where(
          and(
            eq(runs.id, runId),
            or(isNull(runs.askedAt), sql`${runs.askedAt} < now() - make_interval(secs => ${askedEverySeconds})`),
          ),
        );
      return { ...decided, held };
    }
    const taken = await acquireLease({ orm: tx }, decided.slot, text);
    if (!('grant' in taken))
      throw new Error(`the free slot ${decided.slot} was taken by ${taken.heldBy} under the lock`);
    await tx
      .update(runs)
      .set({ admittedAt: sql`now()` })
      .where(and(eq(runs.id, runId), isNull(runs.admittedAt)));
    return taken;
  });
}
