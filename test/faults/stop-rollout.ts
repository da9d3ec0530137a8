import { rollbackResult, startRollback, steerRollout } from '../../client/rollout.js';
import { routeOf } from '../../db/serving/route-queries.js';
import { pollUntil } from '../support/poll-until.js';
import { drillEnvironment as environment, drillModel as model } from './drill-model.js';
import type { DrillStack } from './drill-stack.js';
import { answerOf } from './live-traffic.js';
import { untilHeld } from './strike-fault.js';

const person = { actor: 'ann@local', reason: 'drill' } as const;

/** Tries again while a server is away. */
export const retried = <T extends {}>(label: string, work: () => Promise<T>): Promise<T> =>
  pollUntil(label, 60_000, async () => work());

/** Until a workflow has ended, well or not. */
export const untilEnded = ({ all }: DrillStack, workflowId: string, runId: string): Promise<true> =>
  pollUntil(`${workflowId} ends`, 500_000, async () => {
    const { status } = await all.temporal.client.workflow.getHandle(workflowId, runId).describe();
    return status.name !== 'RUNNING' || undefined;
  });

/** The one version that has everything. @throws an Error when several share. */
export const versionInForce = ({ db }: DrillStack): Promise<number> =>
  retried('the route is read', async () => {
    const [whole, ...more] = (await routeOf(db, environment, model))?.split ?? [];
    if (whole === undefined || more.length > 0) throw new Error('no version has everything');
    return whole.version;
  });

/**
 * A person aborts the rollout that is running. An answer that was lost is asked for again: that it goes back already is
 * as good.
 */
export async function abortRollout({ all }: DrillStack): Promise<void> {
  await retried('the rollout is told to go back', async () => {
    const { accepted, reason } = await steerRollout(all.temporal, environment, model, 'abort', person);
    if (!accepted && !reason.includes('already going back')) throw new Error(reason);
    return true;
  });
}

export interface Rollback {
  hasEnded: () => boolean;
  /** That it ended well, with every gateway's acknowledgement and an answer by this version. */
  isProven(version: number): Promise<void>;
}

/** A person rolls back. Of a running rollout, returns when that one has been told to stop. */
export async function rollBack(
  drill: DrillStack,
  what: 'of a running rollout' | 'of a completed rollout',
): Promise<Rollback> {
  const {
    all: { temporal },
    holds,
  } = drill;
  // It asks for the lease when the rollout has its signal.
  const asks =
    what === 'of a running rollout'
      ? holds.place({ activity: 'takeRolloutLease', moment: 'before', input: '"workflowId":"rollback/' })
      : undefined;
  const started = await retried('the rollback starts', () =>
    startRollback(temporal, { environment, model, ...person }),
  );
  let hasEnded = false;
  const result = untilEnded(drill, started.workflowId, started.runId).then(() =>
    retried('the result is read', () => rollbackResult(temporal, started.workflowId, started.runId)),
  );
  result.catch(() => undefined); // Read below.
  void result.finally(() => (hasEnded = true)).catch(() => undefined);
  if (asks) await untilHeld(asks, () => hasEnded);
  asks?.release();
  return {
    hasEnded: () => hasEnded,
    async isProven(wanted) {
      const { version, acknowledged, probed } = await result;
      if (version !== wanted) throw new Error(`the rollback restored version ${version}, not ${wanted}`);
      if (acknowledged.length === 0 || probed.length === 0)
        throw new Error('the rollback ended without acknowledgements or probes');
    },
  };
}

/**
 * After what went back: the champion has everything, and each gateway, once it is back itself, answers with it under
 * the last epoch.
 */
export async function championServes(drill: DrillStack, champion: number): Promise<void> {
  const now = await versionInForce(drill);
  if (now !== champion)
    throw new Error(`version ${now} has everything after the way back, not the champion ${champion}`);
  for (const gateway of drill.gateways)
    await pollUntil(`${gateway.name} answers with version ${champion} again`, 60_000, async () => {
      const { epoch = 0 } = (await routeOf(drill.db, environment, model)) ?? {};
      const answer = await answerOf(gateway, 'drill-after-the-way-back', 0);
      if (answer.version !== champion || answer.epoch !== epoch) throw new Error(JSON.stringify(answer));
      return answer;
    });
}
