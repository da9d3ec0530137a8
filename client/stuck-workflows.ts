import { setTimeout as delay } from 'node:timers/promises';
import { WorkflowNotFoundError, type Client } from '@temporalio/client';
import { PerdureError } from '../domain/errors.js';

/** What a workflow tries again and again without getting further. */
export interface Stuck {
  workflowId: string;
  /** `workflow task` where the workflow's own code fails, else the activity that is tried. */
  what: string;
  attempt: number;
  /** Of the first attempt, where Temporal says it. ISO 8601, UTC. */
  since: string | null;
  lastFailure: string;
  remedy: string;
}

export const workflowTask = 'workflow task';
/** An activity that was tried so often has had a minute or more. */
const attemptsMin = 6;
/** A workflow task fails over the code and not over the weather: the second failure is no accident. */
const taskAttemptsMin = 2;

type Timestamp = { seconds?: unknown; nanos?: number | null } | null | undefined;
const isoTime = (time: Timestamp): string | null =>
  time?.seconds ? new Date(Number(time.seconds) * 1000).toISOString() : null;

/**
 * What a running workflow does not get over; empty while all is well. Waiting for a lease is no trouble: somebody goes
 * first.
 */
export async function whyStuck(client: Client, workflowId: string, runId?: string): Promise<Stuck[]> {
  const described = await client.workflow
    .getHandle(workflowId, runId)
    .describe()
    .catch((error: unknown) => {
      if (error instanceof WorkflowNotFoundError) return undefined;
      throw error;
    });
  if (described?.status.name !== 'RUNNING') return [];
  const { pendingActivities, pendingWorkflowTask: task } = described.raw;
  const stuck: Stuck[] = [];
  if (task && (task.attempt ?? 1) >= taskAttemptsMin) {
    stuck.push({
      ...{ workflowId, what: workflowTask, attempt: task.attempt ?? 1, since: isoTime(task.originalScheduledTime) },
      lastFailure: await lastTaskFailure(client, workflowId, described.runId),
      remedy:
        'It continues once workers run code that matches its history: restore that code, or end it with ' +
        '`temporal workflow terminate` and start it again.',
    });
  }
  for (const { activityType, attempt, lastFailure, scheduledTime } of pendingActivities ?? []) {
    if ((attempt ?? 1) < attemptsMin || !lastFailure || lastFailure.applicationFailureInfo?.type === 'lease/held')
      continue;
    stuck.push({
      ...{ workflowId, what: activityType?.name ?? 'activity', attempt: attempt ?? 1, since: isoTime(scheduledTime) },
      lastFailure: innermost(lastFailure),
      remedy: 'It is retried until it succeeds: fix what the failure names.',
    });
  }
  return stuck;
}

interface Failure {
  message?: string | null | undefined;
  cause?: Failure | null | undefined;
}

const innermost = ({ message, cause }: Failure): string =>
  (cause?.message ? innermost(cause) : (message ?? 'no reason given')).slice(0, 500);

/** The history holds the first of the failures in a row; the description has none. */
async function lastTaskFailure(client: Client, workflowId: string, runId: string): Promise<string> {
  const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: 20,
  });
  const failed = history?.events?.find(
    (event) => event.workflowTaskFailedEventAttributes,
  )?.workflowTaskFailedEventAttributes;
  return failed?.failure ? innermost(failed.failure) : 'no worker answered in time';
}

/** One line for people. */
export const stuckText = ({ workflowId, what, attempt, lastFailure, remedy }: Stuck): string =>
  `${workflowId}: ${what} has been tried ${attempt} times. ${lastFailure} ${remedy}`;

const lookEveryMs = 1_000;

/**
 * What a workflow is to answer; given up as soon as its code is seen to fail.
 * @throws PerdureError `workflow/stuck` that says why, and what to do.
 */
export async function unlessStuck<T>(client: Client, workflowId: string, answer: Promise<T>): Promise<T> {
  const answered = new AbortController();
  const watching = (async (): Promise<never> => {
    for (;;) {
      const found = (await whyStuck(client, workflowId).catch(() => [])).find(({ what }) => what === workflowTask);
      if (found && !answered.signal.aborted) throw new PerdureError('workflow/stuck', stuckText(found), { ...found });
      await delay(lookEveryMs, undefined, { signal: answered.signal });
    }
  })();
  watching.catch(() => undefined); // Read by the race, or nobody waits for it any more.
  answer.catch(() => undefined);
  try {
    return await Promise.race([answer, watching]);
  } finally {
    answered.abort();
  }
}
