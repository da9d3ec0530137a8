import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectTemporal, type TemporalHandle } from '../../../client/connect.js';
import { applySchedules, planSchedules } from '../../../client/triggers/schedules.js';
import { scheduleState } from '../../../client/triggers/schedule-state.js';
import { scheduleIds } from '../../../domain/ids.js';
import { parseModelDefinition } from '../../../domain/model/parse-definition.js';
import { findFreePorts } from '../../../infra/embedded/processes/ports.js';
import { findTemporal } from '../../../infra/embedded/servers/tools.js';
import flightDelay from '../../../models/flight-delay/model.js';
import { loadTemporalConfig } from '../../../temporal.config.js';
import { pollUntil } from '../../support/poll-until.js';

/** A Temporal server of the test's own, since it is down while a schedule was to fire. */
let folder: string;
let port: number;
let server: ChildProcess | undefined;
let temporal: TemporalHandle | undefined;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'perdure-missed-'));
  port = await findFreePorts('127.0.0.1', 1);
});
afterAll(async () => {
  await stop();
  rmSync(folder, { recursive: true, force: true });
});

async function start(): Promise<TemporalHandle> {
  const args = [
    'server',
    'start-dev',
    '--headless',
    '--ip',
    '127.0.0.1',
    '--port',
    String(port),
    '--db-filename',
    path.join(folder, 'temporal.db'),
  ];
  const environment = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_')));
  server = spawn((await findTemporal(path.resolve('.'))).path, args, { stdio: 'ignore', env: environment });
  const config = loadTemporalConfig();
  const handle = await pollUntil('the server answers', 30_000, () =>
    connectTemporal({ ...config, connection: { address: `127.0.0.1:${port}` } }),
  );
  await pollUntil('its namespace is there', 30_000, () =>
    handle.client.workflowService.describeNamespace({ namespace: 'default' }),
  );
  temporal = handle;
  return handle;
}

async function stop(): Promise<void> {
  await temporal?.close();
  temporal = undefined;
  const stopped = server;
  server = undefined;
  if (!stopped || stopped.exitCode !== null) return;
  const ended = once(stopped, 'exit');
  // Gently: of a kill in the middle of a Schedule's own task the server recovers only after minutes, now and then.
  stopped.kill('SIGTERM');
  const force = setTimeout(() => stopped.kill('SIGKILL'), 20_000);
  await ended;
  clearTimeout(force);
}

const secondOfMinute = () => (Date.now() / 1000) % 60;

describe('a firing that was missed while everything was down', () => {
  it('runs once when the server is back', { timeout: 300_000 }, async () => {
    const definition = parseModelDefinition({
      ...flightDelay,
      name: 'missed',
      triggers: { schedules: [{ name: 'minutely', cron: '* * * * *' }] },
    });
    const before = await start();
    await pollUntil('time is left in this minute', 30_000, () => (secondOfMinute() < 45 ? true : undefined));
    await applySchedules(before, [definition], await planSchedules(before, [definition]));
    // Fires so often that most of what is missed lies too far back to be caught up with.
    const often = scheduleIds.of('missed', 'often');
    await before.client.schedule.create({
      scheduleId: often,
      spec: { intervals: [{ every: '2s' }] },
      action: { type: 'startWorkflow', workflowType: 'another', workflowId: 'often', taskQueue: 'nobody', args: [] },
      policies: { overlap: 'SKIP', catchupWindow: '10s' },
    });
    const firing = await pollUntil('the server knows when to fire', 10_000, async () => {
      const { info } = await before.client.schedule.getHandle('perdure/missed/minutely').describe();
      return info.nextActionTimes[0];
    });
    const overdue = Math.max(firing.getTime() + 1000, Date.now() + 25_000);
    await stop();
    await pollUntil('the firing is missed', 61_000, () => (Date.now() > overdue ? true : undefined));

    const after = await start();
    const schedule = after.client.schedule.getHandle('perdure/missed/minutely');
    const taken = await pollUntil('the missed firing runs', 55_000, async () => {
      const { info } = await schedule.describe();
      return info.recentActions.length > 0 ? info.recentActions : undefined;
    });
    expect(taken.map((one) => one.scheduledAt)).toEqual([firing]);
    expect(taken[0]?.takenAt.getTime()).toBeGreaterThan(firing.getTime());
    const runs = await pollUntil('the run is listed', 30_000, async () => {
      const { count } = await after.client.workflow.count(`WorkflowType = 'trainModel'`);
      return count > 0 ? count : undefined;
    });
    expect(runs).toBe(1);

    const state = await scheduleState(after, { model: 'missed', schedule: 'minutely' });
    expect(state).toMatchObject({ fired: 1, missed: 0, overlapped: 0, last: { scheduledFor: firing } });
    const counted = await pollUntil('what nobody caught up with is counted', 90_000, async () => {
      const found = await scheduleState(after, { model: 'missed', schedule: 'often' });
      return found && found.missed > 0 ? found : undefined;
    });
    expect(counted.fired).toBe(1);
    expect(counted.overlapped).toBeGreaterThan(0);
  });
});
