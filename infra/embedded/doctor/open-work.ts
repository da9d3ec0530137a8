import type { Client } from '@temporalio/client';
import { askOfEach } from '../../../client/ask-temporal.js';
import { connectTemporal } from '../../../client/connect.js';
import { reconcilerRuns } from '../../../client/reconciler.js';
import { retentionRuns } from '../../../client/retention.js';
import { whyStuck } from '../../../client/stuck.js';
import { workflowLife } from '../../../client/workflow-life.js';
import { connectDatabase } from '../../../db/connect.js';
import { heldLeases, openRows, orphanedShares } from '../../../db/reconciliation-queries.js';
import { parseHolder, type LeaseHolder } from '../../../domain/lease.js';
import type { PerdureConfig } from '../../../perdure.config.js';
import { loadTemporalConfig, type TemporalConfig } from '../../../temporal.config.js';
import { note, ok, problem, type Check } from './doctor-check.js';
import { queueChecks, type QueueDepth } from './doctor-queues.js';
import { retentionCheck } from './doctor-retention.js';
import { readStackFile } from '../stack-file.js';
import { currentSupervisor } from '../supervision/supervisor-lock.js';

/** Open rows that are looked into, the rest is counted: each takes two questions to Temporal. */
const lookedIntoMax = 200;

interface OpenWork {
  checks: Check[];
  /** Undefined where it could not be asked. */
  depth: QueueDepth | undefined;
}

/** Of the stack that runs; nothing where none does, for then nothing could be asked. */
export async function openWork(
  { home }: Pick<PerdureConfig, 'home'>,
  environment: NodeJS.ProcessEnv,
): Promise<OpenWork> {
  const running = currentSupervisor(home) ? readStackFile(home) : undefined;
  if (!running?.ready) return { checks: [], depth: undefined };
  return openWorkOf(running.addresses.databaseUrl, loadTemporalConfig({ ...environment, ...running.env }));
}

/** Whether what is open is true and gets on: one check each for what does not, or one that says that all do. */
export const openWorkChecks = async (databaseUrl: string, temporal: TemporalConfig): Promise<Check[]> =>
  (await openWorkOf(databaseUrl, temporal)).checks;

/** What is written down as open though nothing goes on, or does not get on. */
async function workflowChecks(client: Client, { workflowId, runId }: LeaseHolder): Promise<Check[]> {
  const life = await workflowLife(client, { workflowId, runId });
  if (!life.runs) {
    const finding = `it is written down as open, but its workflow ${life.ended}`;
    return [note(workflowId, finding, 'The reconciler closes it within a minute.')];
  }
  const stuck = await whyStuck(client, workflowId);
  return stuck.map((one) =>
    problem(workflowId, `${one.what} has been tried ${one.attempt} times: ${one.lastFailure}`, one.remedy),
  );
}

async function openWorkOf(databaseUrl: string, temporal: TemporalConfig): Promise<OpenWork> {
  const db = connectDatabase(databaseUrl, { max: 2, statementTimeoutMs: 5_000 });
  try {
    const handle = await connectTemporal(temporal);
    try {
      const { client } = handle;
      const checks: Check[] = [];
      if (!(await reconcilerRuns(client)))
        checks.push(
          problem(
            'reconciler',
            'it does not run: rows whose workflows ended stay open',
            'A worker starts it: look at worker-control, or start the stack again.',
          ),
        );
      const queued = await queueChecks(handle, db);
      checks.push(...queued.checks);
      checks.push(await retentionCheck(db, await retentionRuns(client)));
      const open = await openRows(db);
      // What holds a lease and has no row: rollbacks.
      const holders = (await heldLeases(db))
        .map(({ holder }) => parseHolder(holder))
        .filter(({ runId }) => !open.some(({ id }) => id === runId));
      const all = [...open.map(({ workflowId, id }) => ({ workflowId, runId: id })), ...holders];
      const lookedInto = all.slice(0, lookedIntoMax);
      checks.push(...(await askOfEach(lookedInto, (one) => workflowChecks(client, one))).flat());
      for (const { environment, model } of await orphanedShares(db))
        checks.push(
          note(
            `${model} in ${environment}`,
            'a version has a share of the traffic and nobody watches it',
            'The reconciler gives it back within a minute.',
          ),
        );
      if (all.length > lookedIntoMax)
        checks.push(
          note('open work', `${all.length} are open, ${lookedIntoMax} were looked into`, 'The Temporal UI lists all.'),
        );
      if (checks.every(({ outcome }) => outcome === 'ok'))
        checks.push(ok('open work', `${all.length} open; none is stuck`));
      return { checks, depth: queued.depth };
    } finally {
      await handle.close();
    }
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    const check = problem('open work', why, 'See the lines on PostgreSQL and Temporal.');
    return { checks: [check], depth: undefined };
  } finally {
    await db.close();
  }
}
