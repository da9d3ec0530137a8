import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mainJobReportSchema } from '../../infra/main-job/report.js';
import { createPlace, processesOf, type Place } from '../support/place.js';
import { npmStart } from '../support/run-program.js';

/** From Ctrl-C to the end of the last process. */
const stopsWithinMs = 30_000;

/**
 * One main job, interrupted three times: each start goes on where the one before was interrupted, the fourth comes to
 * the end.
 */
describe('Ctrl-C during npm start', () => {
  let place: Place;
  beforeAll(async () => {
    place = await createPlace('interrupt');
  });
  afterAll(() => place.remove());

  const moments = [
    { moment: 'while servers start', said: /postgres +ready/ },
    { moment: 'during the first training', said: /▸ training on all months before 2013-02[^]*snapshot: / },
    { moment: 'during the canary', said: /version 1: \d+(, version 2: \d+)? requests answered/ },
  ];
  it.each(moments)('$moment exits 130 within 30 s and leaves nothing running', async ({ said }) => {
    const start = npmStart(place, '--unattended');
    await start.says(said, 400_000);
    const interruptedAt = Date.now();
    start.signal('SIGINT');
    const { code } = await start.ended;
    expect(code, start.output()).toBe(130);
    expect(Date.now() - interruptedAt, start.output()).toBeLessThan(stopsWithinMs);
    expect(start.output()).toContain('the next npm start continues from here');
    expect(processesOf(place.home)).toEqual([]);
  });

  it('the next start finds what is done, ends the canary and exits 0 with one version a run and one route history', async () => {
    const last = npmStart(place, '--unattended');
    expect((await last.ended).code, last.output()).toBe(0);
    const report = mainJobReportSchema.parse(
      JSON.parse(await readFile(path.join(place.home, 'main-job.json'), 'utf8')),
    );
    expect(report.versions.map(({ version }) => version)).toEqual([1, 2]);
    expect(
      report.promotions.map(({ version, state, decisions }) => ({ version, state, decisions: decisions.length })),
    ).toEqual([
      { version: 1, state: 'promoted', decisions: 1 },
      { version: 2, state: 'promoted', decisions: 1 },
    ]);
    expect(
      report.routes.map(({ epoch, split }) => [
        epoch,
        Object.fromEntries(split.map((part) => [part.version, part.sharePct])),
      ]),
    ).toEqual([
      [1, { 1: 100 }],
      [2, { 1: 95, 2: 5 }],
      [3, { 1: 75, 2: 25 }],
      [4, { 2: 100 }],
    ]);
    expect(report.requests['failed']).toBe(0);
    expect(processesOf(place.home)).toEqual([]);
  });
});
