import { randomUUID } from 'node:crypto';
import {
  isGrpcServiceError,
  ScheduleNotFoundError,
  ScheduleOverlapPolicy,
  type ScheduleOptions,
} from '@temporalio/client';
import { digestOf } from '../../domain/canonical-json.js';
import { PerdureError } from '../../domain/errors.js';
import { scheduleIds } from '../../domain/ids.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import type { ModelSchedule } from '../../domain/triggers/trigger-policy.js';
import { askOfEach } from '../ask-of-each.js';
import type { TemporalHandle } from '../connect.js';
import { catchUpWindowMs, nextFirings } from './schedule-plan.js';

export interface PlannedSchedule {
  scheduleId: string;
  model: string;
  name: string;
  cron: string;
  timeZone: string;
  paused: boolean;
  /** ISO time, UTC; null when it is paused. */
  nextFiring: string | null;
}

export interface SchedulePlan {
  created: PlannedSchedule[];
  changed: PlannedSchedule[];
  unchanged: PlannedSchedule[];
  /** Ids of schedules of these models that no definition names. */
  removed: string[];
}

/**
 * Compares what definitions ask for with the Schedules there are. `retired` models lose theirs.
 * @throws PerdureError for a bad cron expression.
 */
export async function planSchedules(
  { client }: TemporalHandle,
  definitions: readonly ModelDefinition[],
  retired: readonly string[] = [],
): Promise<SchedulePlan> {
  const plan: SchedulePlan = { created: [], changed: [], unchanged: [], removed: [] };
  const wanted = new Map<string, { planned: PlannedSchedule; digest: string }>();
  for (const definition of definitions) {
    for (const schedule of definition.triggers.schedules) {
      wanted.set(scheduleIds.of(definition.name, schedule.name), {
        planned: planned(definition.name, schedule),
        digest: digestOf(schedule),
      });
    }
  }
  // The listing lags behind by seconds; a schedule asked for by its id does not.
  const owners = new Set([...definitions.map((definition) => definition.name), ...retired]);
  const candidates = new Set([...wanted.keys(), ...(await ownSchedules(client, owners))]);
  const present = new Map<string, string>();
  await askOfEach([...candidates], async (scheduleId) => {
    const digest = await digestOfSchedule(client, scheduleId);
    if (digest !== undefined) present.set(scheduleId, digest);
  });
  for (const [scheduleId, { planned: one, digest }] of wanted) {
    const there = present.get(scheduleId);
    (there === undefined ? plan.created : there === digest ? plan.unchanged : plan.changed).push(one);
  }
  plan.removed.push(...[...present.keys()].filter((scheduleId) => !wanted.has(scheduleId)).sort());
  return plan;
}

/**
 * Makes Temporal's Schedules as planned: all of them, or none. Each is changed in place, so that none is ever away.
 * Repeating it changes nothing more.
 * @returns what puts everything back as it was.
 * @throws PerdureError `definition/invalid` for one that Temporal refuses.
 */
export async function applySchedules(
  handle: TemporalHandle,
  definitions: readonly ModelDefinition[],
  plan: SchedulePlan,
): Promise<() => Promise<void>> {
  const done: (() => Promise<void>)[] = [];
  const undo = async () => {
    for (const back of done.splice(0).toReversed()) await back();
  };
  let current = '';
  try {
    for (const scheduleId of [...plan.created, ...plan.changed].map((one) => one.scheduleId).concat(plan.removed)) {
      current = scheduleId;
      done.push(await keptSchedule(handle, scheduleId));
      await makeAsPlanned(handle, definitions, plan, scheduleId);
    }
    return undo;
  } catch (error) {
    await undo();
    if (isGrpcServiceError(error) && error.code === invalidArgument)
      throw new PerdureError(
        'definition/invalid',
        `Temporal refuses the schedule ${current}: ${error.details}. Nothing was changed.`,
        {
          schedule: current,
        },
      );
    throw error;
  }
}

/** gRPC's code. */
const invalidArgument = 3;

async function makeAsPlanned(
  { client, config }: TemporalHandle,
  definitions: readonly ModelDefinition[],
  plan: SchedulePlan,
  scheduleId: string,
): Promise<void> {
  const handle = client.schedule.getHandle(scheduleId);
  const one = [...plan.created, ...plan.changed].find((planned) => planned.scheduleId === scheduleId);
  const schedule = definitions
    .find((definition) => definition.name === one?.model)
    ?.triggers.schedules.find((candidate) => candidate.name === one?.name);
  if (!one || !schedule) return unlessAbsent(handle.delete());
  const options = scheduleOptions(one, schedule, config.taskQueues.workflows);
  try {
    await handle.update(() => options);
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
    await client.schedule.create(options);
  }
}

/** What makes a schedule again as it is now, or takes it away where it is not there. */
async function keptSchedule({ client, config }: TemporalHandle, scheduleId: string): Promise<() => Promise<void>> {
  const handle = client.schedule.getHandle(scheduleId);
  const there = { namespace: config.namespace, scheduleId };
  const before = await client.workflowService.describeSchedule(there).catch((error: unknown) => {
    if (isGrpcServiceError(error) && error.code === notFound) return undefined;
    throw error;
  });
  if (before === undefined) return () => unlessAbsent(handle.delete());
  const { schedule = null, memo = null, searchAttributes = null } = before;
  return async () => {
    try {
      await client.workflowService.updateSchedule({ ...there, schedule, requestId: randomUUID() });
    } catch (error) {
      if (!(isGrpcServiceError(error) && error.code === notFound)) throw error;
      await client.workflowService.createSchedule({
        ...there,
        schedule,
        memo,
        searchAttributes,
        requestId: randomUUID(),
      });
    }
  };
}

const notFound = 5;

async function unlessAbsent(work: Promise<void>): Promise<void> {
  try {
    await work;
  } catch (error) {
    if (!(error instanceof ScheduleNotFoundError)) throw error;
  }
}

function scheduleOptions(
  { scheduleId, model, name, cron, timeZone }: PlannedSchedule,
  schedule: ModelSchedule,
  taskQueue: string,
): Required<Pick<ScheduleOptions, 'scheduleId' | 'spec' | 'action' | 'policies' | 'state'>> {
  return {
    scheduleId,
    spec: { cronExpressions: [cron], timezone: timeZone },
    action: {
      type: 'startWorkflow',
      workflowType: 'trainModel',
      workflowId: `train/${model}/schedule-${name}`,
      taskQueue,
      args: [{ model, cause: { kind: 'schedule', id: name } }],
      // Here rather than in the schedule's own memo, which no update changes.
      memo: { definitionSha256: digestOf(schedule) },
      staticSummary: `train ${model} (schedule ${name})`,
    },
    policies: {
      overlap: ScheduleOverlapPolicy.SKIP,
      catchupWindow: catchUpWindowMs(schedule, new Date()),
      pauseOnFailure: false,
    },
    state: { paused: schedule.paused, note: `${cron} in ${timeZone}` },
  };
}

const planned = (model: string, schedule: ModelSchedule): PlannedSchedule => {
  const [next] = nextFirings(schedule, new Date(), 1);
  const { name, cron, timeZone, paused } = schedule;
  return {
    scheduleId: scheduleIds.of(model, name),
    model,
    name,
    cron,
    timeZone,
    paused,
    nextFiring: paused ? null : (next ?? null),
  };
};

async function ownSchedules(client: TemporalHandle['client'], models: ReadonlySet<string>): Promise<string[]> {
  const found: string[] = [];
  for await (const { scheduleId } of client.schedule.list()) {
    const [prefix, model] = scheduleId.split('/');
    if (`${prefix}/` === scheduleIds.prefix && model !== undefined && models.has(model)) found.push(scheduleId);
  }
  return found;
}

async function digestOfSchedule(client: TemporalHandle['client'], scheduleId: string): Promise<string | undefined> {
  try {
    const { action, memo } = await client.schedule.getHandle(scheduleId).describe();
    // The latter of schedules from before.
    const digest = action.memo?.['definitionSha256'] ?? memo?.['definitionSha256'];
    return typeof digest === 'string' ? digest : '';
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}
