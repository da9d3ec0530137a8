import { applySchedules, planSchedules, type PlannedSchedule } from '../../client/triggers/schedules.js';
import type { ScheduleChange } from '../../client/http/apply.js';
import { scheduleState } from '../../client/triggers/schedule-state.js';
import { nextFirings } from '../../client/triggers/schedule-plan.js';
import { PerdureError } from '../../domain/errors.js';
import { scheduleIds } from '../../domain/ids.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import type { ModelSchedules } from '../deps.js';
import type { TemporalLink } from '../temporal-connection.js';

/** The models' Schedules in Temporal. */
export function createModelSchedules(temporal: TemporalLink): ModelSchedules {
  return {
    states: (model, names) =>
      temporal.use((handle) => Promise.all(names.map((schedule) => scheduleState(handle, { model, schedule })))),
    async plan(definitions, retired) {
      for (const definition of definitions) checkCron(definition);
      const plan = await temporal.use((handle) => planSchedules(handle, definitions, retired));
      return {
        changes: {
          created: plan.created.map(change),
          changed: plan.changed.map(change),
          unchanged: plan.unchanged.map(change),
          removed: plan.removed.map(removal),
        },
        apply: () => temporal.use((handle) => applySchedules(handle, definitions, plan)),
      };
    },
  };
}

function checkCron(definition: ModelDefinition): void {
  for (const schedule of definition.triggers.schedules) {
    try {
      nextFirings(schedule, new Date(), 1);
    } catch (error) {
      if (error instanceof PerdureError)
        throw new PerdureError(
          error.code,
          `The definition of model ${definition.name} is not valid: ${error.message}`,
          {
            ...error.details,
            model: definition.name,
          },
        );
      throw error;
    }
  }
}

const change = ({ scheduleId, model, cron, timeZone, paused, nextFiring }: PlannedSchedule): ScheduleChange => ({
  id: scheduleId,
  model,
  cron,
  timeZone,
  paused,
  nextFiring,
});

function removal(id: string): ScheduleChange {
  const model = id.startsWith(scheduleIds.prefix) ? (id.slice(scheduleIds.prefix.length).split('/')[0] ?? null) : null;
  return { id, model, cron: null, timeZone: null, paused: null, nextFiring: null };
}
