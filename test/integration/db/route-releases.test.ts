import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Database } from '../../../db/connect.js';
import { acquireLease } from '../../../db/lease-queries.js';
import { releasedModels, releaseRoute } from '../../../db/serving/route-releases.js';
import { writeRoute } from '../../../db/serving/route-queries.js';
import { leaseNames } from '../../../domain/ids.js';
import { suiteDatabase } from '../../support/suite-database.js';

let db: Database;
suiteDatabase((opened) => ({ db } = opened));

const environment = 'production' as const;
const said = { environment, actor: 'ann', reason: 'gone' };

test('a model without a route is let go in its environment only, as often as it is said', async () => {
  for (const model of ['old', 'old', 'older'])
    expect(await releaseRoute(db, { ...said, model })).toMatchObject({ model, actor: 'ann' });
  expect((await releasedModels(db, environment)).toSorted()).toEqual(['old', 'older']);
  expect(await releasedModels(db, 'staging')).toEqual([]);
});

test('one that has a route is not', async () => {
  const held = await acquireLease(db, leaseNames.rollout(environment, 'served'), randomUUID());
  if (!('grant' in held)) throw new Error('the lease is held');
  await writeRoute(db, {
    ...{
      environment,
      model: 'served',
      split: [{ version: 1, sharePct: 100 }],
      reason: 'test',
      idempotencyKey: randomUUID(),
    },
    lease: held.grant,
  });
  await expect(releaseRoute(db, { ...said, model: 'served' })).rejects.toMatchObject({ code: 'state/conflict' });
});
