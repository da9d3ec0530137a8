import { ScheduleNotFoundError, ScheduleOverlapPolicy, type ScheduleOptions } from '@temporalio/client';
import { digestOf } from '../domain/canonical-json.js';
import { scheduleIds } from '../domain/ids.js';
import type { ModelDefinition } from '../domain/model-definition.js';
import type { ModelSchedule } from '../domain/trigger-policy.js';
import type { TemporalHandle } from './connect.js';
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

/** Compares what definitions ask for with the Schedules there are. `retired` models lose theirs. @throws PerdureError for a bad cron expression. */
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
  for (const scheduleId of candidates) {
    const digest = await digestOfSchedule(client, scheduleId);
    if (digest !== undefined) present.set(scheduleId, digest);
  }
  for (const [scheduleId, { planned: one, digest }] of wanted) {
    const there = present.get(scheduleId);
    (there === undefined ? plan.created : there === digest ? plan.unchanged : plan.changed).push(one);
  }
  plan.removed.push(...[...present.keys()].filter((scheduleId) => !wanted.has(scheduleId)).sort());
  return plan;
}

/** Makes Temporal's Schedules as planned. Repeating it changes nothing more. */
export async function applySchedules(
  { client, config }: TemporalHandle,
  definitions: readonly ModelDefinition[],
  plan: SchedulePlan,
): Promise<void> {
  for (const one of [...plan.created, ...plan.changed]) {
    const schedule = definitions
      .find((definition) => definition.name === one.model)
      ?.triggers.schedules.find((candidate) => candidate.name === one.name);
    if (!schedule) continue;
    const options = scheduleOptions(one, schedule, config.taskQueues.workflows);
    const handle = client.schedule.getHandle(one.scheduleId);
    try {
      await handle.delete();
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
    }
    await client.schedule.create(options);
  }
  for (const scheduleId of plan.removed) {
    try {
      await client.schedule.getHandle(scheduleId).delete();
    } catch (error) {
      if (!(error instanceof ScheduleNotFoundError)) throw error;
    }
  }
}

function scheduleOptions(
  { scheduleId, model, name, cron, timeZone }: PlannedSchedule,
  schedule: ModelSchedule,
  taskQueue: string,
): ScheduleOptions {
  return {
    scheduleId,
    spec: { cronExpressions: [cron], timezone: timeZone },
    action: {
      type: 'startWorkflow',
      workflowType: 'trainModel',
      workflowId: `train/${model}/schedule-${name}`,
      taskQueue,
      args: [{ model, cause: { kind: 'schedule', id: name } }],
      staticSummary: `train ${model} (schedule ${name})`,
    },
    policies: { overlap: ScheduleOverlapPolicy.SKIP, catchupWindow: catchUpWindowMs(schedule, new Date()), pauseOnFailure: false },
    state: { paused: schedule.paused, note: `${cron} in ${timeZone}` },
    memo: { definitionSha256: digestOf(schedule) },
  };
}

const planned = (model: string, schedule: ModelSchedule): PlannedSchedule => {
  const [next] = nextFirings(schedule, new Date(), 1);
  const { name, cron, timeZone, paused } = schedule;
  return { scheduleId: scheduleIds.of(model, name), model, name, cron, timeZone, paused, nextFiring: paused ? null : (next ?? null) };
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
    const { memo } = await client.schedule.getHandle(scheduleId).describe();
    const digest = memo?.['definitionSha256'];
    return typeof digest === 'string' ? digest : '';
  } catch (error) {
    if (error instanceof ScheduleNotFoundError) return undefined;
    throw error;
  }
}
