import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { connectTemporal, type TemporalHandle } from '../../../client/connect.js';
import { nextFirings } from '../../../client/triggers/schedule-plan.js';
import { applySchedules, planSchedules } from '../../../client/triggers/schedules.js';
import { parseModelDefinition } from '../../../domain/model/parse-definition.js';
import { type ModelDefinition } from '../../../domain/model/model-definition.js';
import flightDelay from '../../../models/flight-delay/model.js';
import { loadTemporalConfig } from '../../../temporal.config.js';
import { pollUntil } from '../../support/poll-until.js';

let temporal: TemporalHandle;
let model: string;
beforeAll(async () => {
  temporal = await connectTemporal(loadTemporalConfig());
});
afterAll(() => temporal.close());
beforeEach(() => {
  model = `m-${randomUUID().slice(0, 8)}`;
});

const define = (...schedules: { name: string; cron: string; timeZone?: string; paused?: boolean }[]): ModelDefinition =>
  parseModelDefinition({ ...flightDelay, name: model, triggers: { schedules } });

const ids = ({ created, changed, unchanged, removed }: Awaited<ReturnType<typeof planSchedules>>) => ({
  created: created.map((one) => one.name),
  changed: changed.map((one) => one.name),
  unchanged: unchanged.map((one) => one.name),
  removed,
});

async function apply(...definitions: ModelDefinition[]) {
  const plan = await planSchedules(temporal, definitions);
  await applySchedules(temporal, definitions, plan);
  return ids(plan);
}

/** The listing of schedules lags behind: a removal is planned from it. */
const untilListed = (scheduleId: string) =>
  pollUntil(`${scheduleId} is listed`, 20_000, async () => {
    for await (const one of temporal.client.schedule.list()) if (one.scheduleId === scheduleId) return true;
    return undefined;
  });

describe('schedules of a definition', () => {
  it('are created, left alone, changed and removed, as the plan says', async () => {
    const monthly = { name: 'monthly', cron: '0 6 2 * *', timeZone: 'America/New_York' };
    const nightly = { name: 'nightly', cron: '0 3 * * *' };
    expect(await apply(define(monthly, nightly))).toEqual({
      created: ['monthly', 'nightly'],
      changed: [],
      unchanged: [],
      removed: [],
    });
    expect(await apply(define(monthly, nightly))).toEqual({
      created: [],
      changed: [],
      unchanged: ['monthly', 'nightly'],
      removed: [],
    });
    expect(await apply(define({ ...monthly, cron: '0 7 2 * *' }, nightly))).toEqual({
      created: [],
      changed: ['monthly'],
      unchanged: ['nightly'],
      removed: [],
    });

    await untilListed(`perdure/${model}/nightly`);
    expect(await apply(define({ ...monthly, cron: '0 7 2 * *' }))).toMatchObject({
      unchanged: ['monthly'],
      removed: [`perdure/${model}/nightly`],
    });
    await expect(temporal.client.schedule.getHandle(`perdure/${model}/nightly`).describe()).rejects.toThrow();
  });

  it('leave another model’s schedules alone', async () => {
    await apply(define({ name: 'nightly', cron: '0 3 * * *' }));
    const mine = `perdure/${model}/nightly`;
    await untilListed(mine);
    model = `m-${randomUUID().slice(0, 8)}`;
    expect((await apply(define())).removed).toEqual([]);
    expect((await temporal.client.schedule.getHandle(mine).describe()).scheduleId).toBe(mine);
  });

  it('start a training with the schedule as its cause, skip what overlaps and catch up over one interval', async () => {
    await apply(define({ name: 'monthly', cron: '0 6 2 * *', paused: true }));
    const { action, policies, state } = await temporal.client.schedule.getHandle(`perdure/${model}/monthly`).describe();
    expect(action).toMatchObject({
      workflowType: 'trainModel',
      workflowId: `train/${model}/schedule-monthly`,
      args: [{ model, cause: { kind: 'schedule', id: 'monthly' } }],
    });
    expect(policies.overlap).toBe('SKIP');
    expect(policies.catchupWindow).toBe(31 * 86_400_000);
    expect(state.paused).toBe(true);
  });

  it.each([
    ['0 6 2 * *', 'America/New_York'],
    ['30 1 * * 0', 'America/New_York'],
    ['30 2 14 3 *', 'America/New_York'],
    ['*/20 1,2 1-7 11 7', 'America/New_York'],
    ['0 0 1 */2 *', 'Europe/Berlin'],
    ['15 2,3 25-31 3,10 sun', 'Europe/Berlin'],
    ['10/25 1-2 * apr,oct sunday', 'Australia/Lord_Howe'],
    ['0 0 * * *', 'America/Sao_Paulo'],
    ['15 4 * * 1-5', 'Asia/Kolkata'],
    ['0 12 29 * *', 'UTC'],
    ['0 0 13 * fri', 'UTC'],
    ['5 4 */9 * */2', 'UTC'],
    ['0 22/1 31 * *', 'Asia/Kathmandu'],
    ['0 0 29 feb 5-7/2', 'UTC'],
  ])('fire when the server says that they do: %s in %s', async (cron, timeZone) => {
    await apply(define({ name: 'checked', cron, timeZone }));
    const { info } = await temporal.client.schedule.getHandle(`perdure/${model}/checked`).describe();
    const times = info.nextActionTimes.map((time) => time.toISOString());
    expect(times.length).toBeGreaterThanOrEqual(5);
    expect(
      nextFirings(
        { name: 'checked', cron, timeZone, paused: false },
        new Date(Date.parse(times[0] ?? '') - 1000),
        times.length,
      ),
    ).toEqual(times);
    expect(nextFirings({ name: 'checked', cron, timeZone, paused: false }, new Date(), 2)).toContain(times[0]);
  });

  it('are changed in place: what Temporal refuses leaves every one as it was', async () => {
    const nightly = { name: 'nightly', cron: '0 3 * * *' };
    await apply(define(nightly));
    const handle = temporal.client.schedule.getHandle(`perdure/${model}/nightly`);
    const { createdAt } = (await handle.describe()).info;
    const changed = define({ ...nightly, cron: '0 4 * * *' }, { name: 'another', cron: '0 5 * * *' });
    const plan = await planSchedules(temporal, [changed]);
    // A cron expression that came past every check.
    const broken = {
      ...changed,
      triggers: {
        schedules: changed.triggers.schedules.map((one) =>
          one.name === 'another' ? { ...one, cron: '0 6 L * *' } : one,
        ),
      },
    };
    for (const one of plan.created) one.cron = '0 6 L * *';
    plan.created.reverse();
    plan.changed.push(...plan.created.splice(0)); // The good one first.
    await expect(applySchedules(temporal, [broken], plan)).rejects.toMatchObject({ code: 'definition/invalid' });
    const after = await handle.describe();
    expect(after.info.createdAt).toEqual(createdAt);
    expect(after.spec.calendars?.[0]?.hour).toEqual([{ start: 3, end: 3, step: 1 }]);
    await expect(temporal.client.schedule.getHandle(`perdure/${model}/another`).describe()).rejects.toThrow();
    expect(await apply(define(nightly))).toMatchObject({ unchanged: ['nightly'] });

    // Undone by the caller, whose own part failed.
    const good = define({ ...nightly, cron: '0 4 * * *' });
    const undo = await applySchedules(temporal, [good], await planSchedules(temporal, [good]));
    expect((await handle.describe()).info.createdAt).toEqual(createdAt);
    expect((await handle.describe()).spec.calendars?.[0]?.hour).toEqual([{ start: 4, end: 4, step: 1 }]);
    await undo();
    expect((await handle.describe()).spec.calendars?.[0]?.hour).toEqual([{ start: 3, end: 3, step: 1 }]);
  });

  it('with a bad expression are refused by name, before anything is changed', async () => {
    const bad = define({ name: 'nightly', cron: '0 3 * * *' }, { name: 'broken', cron: '61 * * * *' });
    await expect(apply(bad)).rejects.toMatchObject({
      code: 'definition/invalid',
      message: expect.stringContaining('triggers.schedules broken'),
    });
    await expect(temporal.client.schedule.getHandle(`perdure/${model}/nightly`).describe()).rejects.toThrow();
  });

  it('with an unknown time zone are refused where the definition is read', () => {
    expect(() => define({ name: 'broken', cron: '0 3 * * *', timeZone: 'Mars/Olympus' })).toThrow(
      /triggers\.schedules\[0\]\.timeZone/,
    );
  });
});
