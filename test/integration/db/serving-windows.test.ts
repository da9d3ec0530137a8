import { randomUUID } from 'node:crypto';
import { expect, it } from 'vitest';
import { connectDatabase, type Database } from '../../../db/connect.js';
import { openRollout } from '../../../db/rollout/rollout-queries.js';
import { rollUpGrain, rollUpWindows } from '../../../db/serving/roll-up-windows.js';
import {
  insertServingWindows,
  servedLast,
  servedRecently,
  servedTraffic,
  servedUnder,
} from '../../../db/serving/serving-windows.js';
import type { SettledRollout } from '../../../domain/rollout/rollout-plan.js';
import { latencyBoundsMs, scoreBins, type ServingWindow } from '../../../domain/serving/serving-window.js';
import { suiteDatabase } from '../../support/suite-database.js';

let db: Database;
let databaseUrl: string;
suiteDatabase((opened) => ({ db, url: databaseUrl } = opened));

const environment = 'production' as const;
const minuteMs = 60_000;
const newModel = () => `m-${randomUUID().slice(0, 8)}`;
const bins = (length: number, at: number, count: number) =>
  Array.from({ length }, (_, bin) => (bin === at ? count : 0));

let number = 0;
function windowOf(model: string, more: Partial<ServingWindow> & { agoMs?: number } = {}): ServingWindow {
  const { agoMs = 0, ...given } = more;
  const to = new Date(Date.now() - agoMs);
  const requests = given.requests ?? 10;
  return {
    id: `g/${model}/${(number += 1)}`,
    gatewayId: 'g',
    ...{ environment, model, version: 2, epoch: 3, role: 'split', cold: false, errors: 1 },
    from: new Date(to.getTime() - 1000).toISOString(),
    to: to.toISOString(),
    latency: bins(latencyBoundsMs.length + 1, 2, requests - 1),
    scores: bins(scoreBins, 40, requests - 1),
    ...given,
    requests,
  };
}

const under = (model: string, more = {}) =>
  servedUnder(db, { environment, model, version: 2, role: 'split', epochFrom: 3, epochTo: 3, ...more });

async function rollUpAll(): Promise<void> {
  for (const roll of [() => rollUpWindows(db, 0), () => rollUpGrain(db, 'minute'), () => rollUpGrain(db, 'hour')])
    for (let more = true; more;) more = (await roll()).more;
}

const rowsOf = async (model: string) =>
  (
    await db.sql<{ grain: string; requests: number }[]>`
      select grain, requests::int as requests from serving_rollups where model = ${model} order by grain, bucket`
  ).map(({ grain, requests }) => [grain, requests]);

it('counts each window once, before its roll-up, after it, and when it is rolled up again', async () => {
  const model = newModel();
  await insertServingWindows(db, [
    windowOf(model),
    windowOf(model, { requests: 5 }),
    windowOf(model, { cold: true, requests: 7 }),
    windowOf(model, { role: 'override', requests: 100 }),
    windowOf(model, { epoch: 4, requests: 100 }),
  ]);
  const before = await under(model);
  expect(before).toMatchObject({ totals: { requests: 15, errors: 2 }, cold: 7 });
  expect(before.totals.latency[2]).toBe(13);
  expect(before.totals.scores).toEqual(bins(scoreBins, 40, 13));
  await rollUpAll();
  await rollUpAll();
  expect(await under(model)).toEqual(before);
  expect(await under(model, { epochTo: 4 })).toMatchObject({ totals: { requests: 115 } });
  expect(await servedTraffic(db, model, environment)).toEqual([{ version: 2, requests: 222, errors: 5 }]);
});

it('counts a window that is sent again once, also when its row is rolled up by now', async () => {
  const model = newModel();
  const sent = [windowOf(model), windowOf(model)];
  await insertServingWindows(db, sent);
  await insertServingWindows(db, sent);
  await rollUpAll();
  await insertServingWindows(db, sent);
  await rollUpAll();
  const unnumbered = windowOf(model, { id: `${model}/no-number` });
  await insertServingWindows(db, [unnumbered]);
  await rollUpAll();
  await insertServingWindows(db, [unnumbered]);
  expect(await under(model)).toMatchObject({ totals: { requests: 30 } });
});

it('adds a window that comes late to its minute, its hour and its total', async () => {
  const model = newModel();
  const agoMs = 3 * 86_400_000;
  await insertServingWindows(db, [windowOf(model, { agoMs })]);
  await rollUpAll();
  expect(await rowsOf(model)).toEqual([['hour', 10]]);
  await insertServingWindows(db, [windowOf(model, { agoMs, requests: 4 })]);
  await rollUpAll();
  expect(await rowsOf(model)).toEqual([['hour', 14]]);
  await insertServingWindows(db, [windowOf(model, { agoMs: 40 * 86_400_000, requests: 2 })]);
  await rollUpAll();
  expect(await rowsOf(model)).toEqual([
    ['day', 2],
    ['hour', 14],
  ]);
  expect(await under(model)).toMatchObject({ totals: { requests: 16 } });
});

it('loses and doubles nothing when roll-ups, senders and readers come at once, and when a roll-up dies', async () => {
  const model = newModel();
  let sent = 0;
  const other = connectDatabase(databaseUrl, { max: 4 });
  try {
    const sending = async (source: string) => {
      for (let batch = 0; batch < 15; batch += 1) {
        const windows = Array.from({ length: 3 }, (_, at) =>
          windowOf(model, { id: `${source}/${model}/${batch * 3 + at}`, gatewayId: source }),
        );
        await Promise.all([insertServingWindows(db, windows), insertServingWindows(other, windows)]);
        sent += 30;
      }
    };
    let done = false;
    const rolling = async (one: Database) => {
      while (!done) await rollUpWindows(one, 0);
    };
    const dying = async () => {
      while (!done) {
        const victim = connectDatabase(databaseUrl, { max: 1 });
        const [found] = await victim.sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
        const rolled = rollUpWindows(victim, 0).catch(() => undefined);
        await db.sql`select pg_cancel_backend(${found?.pid ?? 0})`;
        await rolled;
        await victim.close();
      }
    };
    const reading = async () => {
      for (let last = 0; !done;) {
        const { totals } = await under(model);
        expect(totals.requests).toBeGreaterThanOrEqual(last);
        last = totals.requests;
      }
    };
    const rest = [rolling(db), rolling(other), dying(), reading()];
    await Promise.all(['a', 'b'].map(sending));
    done = true;
    await Promise.all(rest);
  } finally {
    await other.close();
  }
  await rollUpAll();
  expect(await under(model)).toMatchObject({ totals: { requests: sent, errors: sent / 10 } });
  const [left] = await db.sql<
    { count: number }[]
  >`select count(*)::int as count from serving_windows where model = ${model}`;
  expect(left?.count).toBe(0);
});

it('says the same of the last hour that a version served before and after the roll-up, and however long a rollout goes on', async () => {
  const model = newModel();
  const agoMs = 60 * 86_400_000;
  const champion = (more: Parameters<typeof windowOf>[1]) => windowOf(model, { version: 1, epoch: 2, ...more });
  await insertServingWindows(db, [
    champion({ agoMs: agoMs + 70 * minuteMs, requests: 1000 }),
    champion({ agoMs: agoMs + 50 * minuteMs, requests: 5 }),
    champion({ agoMs, requests: 3 }),
    champion({ agoMs, requests: 50, cold: true }),
    windowOf(model, { agoMs: minuteMs }),
  ]);
  const last = () => servedLast(db, { environment, model, version: 1, role: 'split', epochFrom: 1, epochTo: 2 }, 3600);
  const before = await last();
  expect(before).toMatchObject({ requests: 8, errors: 2 });
  const settled = { policy: { strategy: 'direct' } } as unknown as SettledRollout;
  const rollout = {
    id: model,
    workflowId: 'w',
    environment,
    model,
    challenger: 2,
    champion: 1,
    promotionId: null,
    settled,
  };
  await openRollout(db, rollout);
  await rollUpAll();
  expect(await last()).toEqual(before);
  expect((await rowsOf(model)).filter(([grain]) => grain === 'minute')).toHaveLength(5);
});

it('tells what the split gave in the last minutes, rolled up or not', async () => {
  const model = newModel();
  await insertServingWindows(db, [
    windowOf(model, { agoMs: 3 * minuteMs }),
    windowOf(model, { agoMs: 40 * minuteMs, requests: 500 }),
    windowOf(model, { role: 'shadow', requests: 500 }),
  ]);
  const recently = () => servedRecently(db, { environment, model, minutes: 15 });
  const before = await recently();
  expect(before).toMatchObject([{ version: 2, cold: false, requests: 10 }]);
  await rollUpAll();
  await insertServingWindows(db, [windowOf(model)]);
  expect(await recently()).toMatchObject([{ version: 2, cold: false, requests: 20, from: before[0]?.from }]);
});

it('holds counts beyond 32 bits exactly', async () => {
  const model = newModel();
  const requests = 4_000_000_000_000_001;
  await insertServingWindows(db, [windowOf(model, { requests }), windowOf(model, { requests: 2, errors: 0 })]);
  await rollUpAll();
  expect(await under(model)).toMatchObject({ totals: { requests: requests + 2, errors: 1 } });
  expect((await under(model)).totals.scores[40]).toBe(requests);
});
