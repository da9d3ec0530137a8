import { expect, test } from 'vitest';
import type { Database } from '../../../db/connect.js';
import { acquireLease } from '../../../db/lease-queries.js';
import { writeRoute } from '../../../db/serving/route-queries.js';
import { routeChanges } from '../../../db/serving/route-state.js';
import { registerVersion } from '../../../db/model/version-queries.js';
import type { Split } from '../../../domain/serving/route.js';
import { suiteDatabase } from '../../support/suite-database.js';
import { openedRun } from './registered-run.js';

let db: Database;
suiteDatabase((opened) => ({ db } = opened));

test('gateways are told the versions that a route went back from, while callers of theirs may be left, and of no other model', async () => {
  for (const run of ['run-1', 'run-2', 'run-3', 'run-4'])
    await registerVersion(db, await openedRun(db, 'shop', run, null));
  for (const run of ['other-1', 'other-2']) await registerVersion(db, await openedRun(db, 'other', run, null));
  const write = async (model: string, key: string, split: Split) => {
    const lease = await acquireLease(db, `rollout/production/${model}`, 'test');
    if (!('grant' in lease)) throw new Error('the lease is held');
    await writeRoute(db, {
      environment: 'production',
      model,
      split,
      reason: key,
      idempotencyKey: `${model} ${key}`,
      lease: lease.grant,
    });
  };
  const former = async () =>
    (await routeChanges(db, 'production', 0)).former.map(({ model, version }) => `${model}@${version}`);
  const whole = (version: number): Split => [{ version, sharePct: 100 }];
  const half = (version: number, other: number): Split => [
    { version, sharePct: 50 },
    { version: other, sharePct: 50 },
  ];

  await write('shop', 'first', whole(1));
  await write('other', 'first', whole(2));
  expect(await former()).toEqual([]);
  await write('shop', 'canary', half(1, 2));
  expect(await former()).toEqual([]);
  await write('shop', 'back', whole(1));
  expect(await former()).toEqual(['shop@2']);
  await write('shop', 'canary of 3', half(1, 3));
  expect(await former()).toEqual(['shop@2']);
  await write('shop', '3 has everything', whole(3));
  expect(await former()).toEqual([]);
  await write('shop', 'back to 1', whole(1));
  expect(await former()).toEqual(['shop@2', 'shop@3']);
  for (let number = 0; number < 20; number += 1) await write('shop', `again ${number}`, whole(1));
  expect(await former()).toEqual([]);
});
