import { randomUUID } from 'node:crypto';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectTemporal, type TemporalHandle } from '../../../client/connect.js';
import { applySchedules, planSchedules } from '../../../client/triggers/schedules.js';
import { applyDefinition } from '../../../db/model/definition-queries.js';
import { runs } from '../../../db/schema/index.js';
import { definitionDigest, type ModelDefinition } from '../../../domain/model/model-definition.js';
import { scheduleIds } from '../../../domain/ids.js';
import { loadTemporalConfig } from '../../../temporal.config.js';
import { pollUntil } from '../../support/poll-until.js';
import { ownDefinition, startApi, type TestApi } from './start-api.js';

let running: TestApi;
let temporal: TemporalHandle;
beforeAll(async () => {
  running = await startApi();
  temporal = await connectTemporal(loadTemporalConfig());
}, 60_000);
afterAll(async () => {
  await temporal.close();
  await running.close();
});

const nightly = { name: 'nightly', cron: '0 3 * * *', timeZone: 'UTC', paused: false };

async function applied(...schedules: (typeof nightly)[]): Promise<ModelDefinition> {
  const definition = ownDefinition({ triggers: { schedules } });
  await applyDefinition(running.db, definition, 'test');
  return definition;
}

const inTemporal = async (definition: ModelDefinition) =>
  applySchedules(temporal, [definition], await planSchedules(temporal, [definition]));

const hoursAgo = (hours: number, seconds = 0) => new Date(Date.now() - hours * 3_600_000 + seconds * 1000);

/** What a run that a schedule began leaves in its row. */
async function ran(definition: ModelDefinition, scheduledFor: Date, startedAt: Date, finishedAt: Date) {
  const id = randomUUID();
  const { name: model } = definition;
  const cause = { kind: 'schedule' as const, id: 'nightly' };
  const times = { scheduledFor, startedAt, finishedAt };
  await running.db.orm
    .insert(runs)
    .values({
      id,
      workflowId: `train/${model}/x`,
      model,
      definitionSha256: definitionDigest(definition),
      cause,
      ...times,
    })
    .returning();
  return id;
}

describe('schedules ls', () => {
  it('says what fires next; a paused one fires nothing, and one that Temporal lacks is absent', async () => {
    const definition = await applied(nightly, { ...nightly, name: 'rests', paused: true });
    await inTemporal(definition);
    const { items, next } = await running.api.schedules(definition.name);
    expect(next).toBeNull();
    expect(items).toMatchObject([
      { name: 'nightly', state: 'active', fired: 0, overlapped: { count: 0, reason: null }, last: null },
      { name: 'rests', state: 'paused', nextFirings: [], missed: { count: 0, reason: null } },
    ]);
    expect(items[0]?.nextFirings[0]).toMatch(/T03:00:00\.000Z$/);

    const lost = await applied(nightly);
    expect((await running.api.schedules(lost.name)).items).toMatchObject([{ state: 'absent', countedSince: null }]);
    const shown = await running.perdure('schedules', 'ls', lost.name);
    expect(shown.stdout).toContain('nightly: its Schedule is missing in Temporal. `perdure apply` creates it again.');
  });

  it('shows a page at a time, by name, and goes on after it', async () => {
    const names = Array.from({ length: 25 }, (_, number) => `at-${String(number + 10)}`);
    const definition = await applied(...names.toReversed().map((name) => ({ ...nightly, name })));
    const first = await running.perdure('schedules', 'ls', definition.name, '--json');
    const page = JSON.parse(first.stdout) as { items: { name: string }[]; next: string };
    expect(page.items.map(({ name }) => name)).toEqual(names.slice(0, 20));
    const rest = await running.api.schedules(definition.name, { after: page.next, limit: 500 });
    expect([rest.items.map(({ name }) => name), rest.next]).toEqual([names.slice(20), null]);
    await expect(running.api.schedules(definition.name, { after: 'nowhere' })).rejects.toMatchObject({
      code: 'input/invalid',
    });
  });

  it('counts what began late, and names the latest', async () => {
    const definition = await applied(nightly);
    await inTemporal(definition);
    await ran(definition, hoursAgo(50), hoursAgo(50, 59), hoursAgo(49));
    await ran(definition, hoursAgo(40), hoursAgo(40, 61), hoursAgo(39));
    const latest = await ran(definition, hoursAgo(30), hoursAgo(30, 900), hoursAgo(29));
    const [item] = (await running.api.schedules(definition.name)).items;
    expect(item?.late).toEqual({ count: 2, reason: expect.stringContaining(`started 900 s late by run ${latest}`) });
    expect(item?.last).toMatchObject({ runId: latest, outcome: null, lateSeconds: 900 });
    const [other] = (await running.api.schedules((await applied(nightly)).name)).items;
    expect(other?.late.count).toBe(0);
  });

  it('knows how a firing by hand went, whose time is no whole second', { timeout: 60_000 }, async () => {
    const definition = await applied(nightly);
    await inTemporal(definition);
    const handle = temporal.client.schedule.getHandle(scheduleIds.of(definition.name, 'nightly'));
    await handle.trigger();
    const view = async () => (await running.api.schedules(definition.name)).items[0]?.last ?? undefined;
    const before = await pollUntil('Temporal has fired', 30_000, view);
    expect(before).toMatchObject({ runId: null });
    const described = await temporal.client.workflow.getHandle(before.workflowId).describe();
    const scheduledFor = described.typedSearchAttributes.get(
      defineSearchAttributeKey('TemporalScheduledStartTime', SearchAttributeType.DATETIME),
    );
    if (!scheduledFor) throw new Error('the run does not know the time of its firing');
    const runId = await ran(definition, scheduledFor, new Date(), new Date());
    expect(await view()).toMatchObject({ runId });
    await temporal.client.workflow.getHandle(before.workflowId).terminate();
  });

  it('counts firings that found an earlier run still going, with that run', { timeout: 60_000 }, async () => {
    const definition = await applied(nightly);
    await inTemporal(definition);
    const slow = await ran(definition, hoursAgo(60), hoursAgo(60), hoursAgo(30));
    // As often as the test needs; nobody works on the queue, so that the first run goes on.
    const handle = temporal.client.schedule.getHandle(scheduleIds.of(definition.name, 'nightly'));
    await handle.update(({ spec: _, ...rest }) => {
      const action = { ...rest.action, taskQueue: `nobody-${randomUUID()}` };
      return { ...rest, action, spec: { intervals: [{ every: '1s' }] } };
    });
    const counted = await pollUntil('three firings have overlapped', 40_000, async () => {
      const [item] = (await running.api.schedules(definition.name)).items;
      return item && item.overlapped.count >= 3 ? item : undefined;
    });
    expect(counted).toMatchObject({
      fired: 1,
      overlapped: { reason: expect.stringContaining(`run ${slow} was still`) },
    });
    expect(counted.last).toMatchObject({ runId: null, outcome: null });
    const shown = await running.perdure('schedules', 'ls', definition.name);
    expect(shown.stdout).toMatch(/nightly, overlapped: run .* was still running; latest at /);
    for await (const { workflowId } of temporal.client.workflow.list({
      query: `TemporalScheduledById = '${scheduleIds.of(definition.name, 'nightly')}'`,
    }))
      await temporal.client.workflow.getHandle(workflowId).terminate();
    await handle.delete();
  });

  it('knows only models that there are', async () => {
    expect(await running.perdure('schedules', 'ls', 'nobody')).toMatchObject({ code: 6 });
    expect(JSON.parse((await running.perdure('schedules', 'ls', (await applied()).name, '--json')).stdout)).toEqual({
      items: [],
      next: null,
    });
  });
});
