import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { Context } from '@temporalio/activity';
import { MockActivityEnvironment } from '@temporalio/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { activityFailpoints } from '../../../workers/activity-failpoints.js';
import { pollUntil } from '../../support/poll-until.js';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'perdure-holds-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const hold = () => path.join(folder, '1.hold.json');
const held = () => path.join(folder, '1.held.json');
const askFor = (moment: 'before' | 'after', input: string) =>
  writeFileSync(hold(), JSON.stringify({ activity: 'writeRoute', moment, input }));

/** Runs an activity through the interceptor; `effects` has what it did. */
function run(args: unknown[]) {
  const effects: unknown[] = [];
  const environment = new MockActivityEnvironment({ activityType: 'writeRoute' });
  const ended = environment.run(async () => {
    const { inbound } = activityFailpoints(folder)(Context.current());
    await inbound?.execute?.({ args, headers: {} }, (input) => Promise.resolve(effects.push(input.args)));
  });
  return { effects, environment, ended };
}

describe('a held activity', () => {
  it('waits before its effect until its file is gone, and says so meanwhile', async () => {
    askFor('before', '/step-1"');
    const { effects, ended } = run([{ idempotencyKey: 'r/step-1' }]);
    await pollUntil('it waits', 5_000, () => existsSync(held()) || undefined);
    expect(effects).toEqual([]);
    expect(JSON.parse(readFileSync(held(), 'utf8'))).toMatchObject({
      activity: 'writeRoute',
      attempt: 1,
      pid: process.pid,
    });
    rmSync(hold());
    await ended;
    expect(effects).toEqual([[{ idempotencyKey: 'r/step-1' }]]);
  });

  it('waits after its effect when that is asked for', async () => {
    askFor('after', '/step-1"');
    const { effects, ended } = run([{ idempotencyKey: 'r/step-1' }]);
    await pollUntil('it waits', 5_000, () => existsSync(held()) || undefined);
    expect(effects).toHaveLength(1);
    rmSync(hold());
    await ended;
  });

  it('is one whose input has the text that is asked for', async () => {
    askFor('before', '/step-1"');
    await run([{ idempotencyKey: 'r/step-10' }]).ended;
    expect(existsSync(held())).toBe(false);
  });

  it('says that it waits no more when it goes on unasked', async () => {
    askFor('before', '/step-1"');
    const { environment, ended } = run([{ idempotencyKey: 'r/step-1' }]);
    await pollUntil('it waits', 5_000, () => existsSync(held()) || undefined);
    environment.cancel('TIMED_OUT');
    await ended;
    expect(existsSync(hold())).toBe(true);
    expect(existsSync(held())).toBe(false);
  });
});
