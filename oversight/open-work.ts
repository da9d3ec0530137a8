import type { Client } from '@temporalio/client';
import { askOfEach } from '../client/ask-of-each.js';
import type { TemporalHandle } from '../client/connect.js';
import { compactionRuns } from '../client/keep-compacting.js';
import { reconcilerRuns } from '../client/keep-reconciling.js';
import { retentionRuns } from '../client/keep-retention.js';
import { whyStuck } from '../client/stuck-workflows.js';
import { workflowLife } from '../client/workflow-life.js';
import type { Database } from '../db/connect.js';
import { heldLeases, openRows, orphanedShares } from '../db/reconciliation-queries.js';
import { parseHolder, type LeaseHolder } from '../domain/lease-holder.js';
import { messageOf } from '../domain/errors.js';
import { note, ok, problem, type Check } from './check.js';
import { compactionCheck } from './compaction-check.js';
import { queueChecks } from './queue-checks.js';
import type { QueueDepth } from './queue-depth.js';
import { retentionCheck } from './retention-check.js';

/** Open rows that are looked into, the rest is counted: each takes two questions to Temporal. */
const lookedIntoMax = 200;

export interface OpenWork {
  checks: Check[];
  /** Undefined where it could not be asked. */
  depth: QueueDepth | undefined;
}

/** What is written down as open though nothing goes on, or does not get on. */
async function workflowChecks(client: Client, { workflowId, runId }: LeaseHolder): Promise<Check[]> {
  const life = await workflowLife(client, { workflowId, runId });
  if (!life.runs) {
    const finding = `it is recorded as open, but its workflow ${life.ended}`;
    return [note(workflowId, finding, 'The reconciler closes it within a minute.')];
  }
  const stuck = await whyStuck(client, workflowId);
  return stuck.map((one) =>
    problem(workflowId, `${one.what} has been tried ${one.attempt} times: ${one.lastFailure}`, one.remedy),
  );
}

/** Whether what is open is true and gets on: one check each for what does not, or one that says that all do. */
export async function openWork(db: Database, handle: TemporalHandle): Promise<OpenWork> {
  const { client } = handle;
  const [reconciles, queued, retention, compaction, open, leases, orphans] = await Promise.all([
    reconcilerRuns(client),
    queueChecks(handle, db),
    retentionRuns(client).then((runs) => retentionCheck(db, runs)),
    compactionRuns(client).then((runs) => compactionCheck(db, runs)),
    openRows(db),
    heldLeases(db),
    orphanedShares(db),
  ]);
  const checks: Check[] = [];
  if (!reconciles)
    checks.push(
      problem(
        'reconciler',
        'not running: rows whose workflows ended stay open',
        'A worker starts it: check worker-control, or restart the stack.',
      ),
    );
  checks.push(...queued.checks, retention, compaction);
  // What holds a lease and has no row: rollbacks.
  const holders = leases
    .map(({ holder }) => parseHolder(holder))
    .filter(({ runId }) => !open.some(({ id }) => id === runId));
  const all = [...open.map(({ workflowId, id }) => ({ workflowId, runId: id })), ...holders];
  const lookedInto = all.slice(0, lookedIntoMax);
  checks.push(...(await askOfEach(lookedInto, (one) => workflowChecks(client, one))).flat());
  for (const { environment, model } of orphans)
    checks.push(
      note(
        `${model} in ${environment}`,
        'a version has traffic without a running rollout',
        'The reconciler returns it within a minute.',
      ),
    );
  if (all.length > lookedIntoMax)
    checks.push(
      note('open work', `${all.length} are open, ${lookedIntoMax} were checked`, 'The Temporal UI lists all.'),
    );
  if (checks.every(({ outcome }) => outcome === 'ok'))
    checks.push(ok('open work', `${all.length} open; none is stuck`));
  return { checks, depth: queued.depth };
}

/** What is known where it could not be asked. */
export function unanswered(error: unknown): OpenWork {
  const why = messageOf(error);
  return {
    checks: [problem('open work', why, 'See the lines on PostgreSQL and Temporal of `npx perdure doctor`.')],
    depth: undefined,
  };
}
