import { expect, it } from 'vitest';
import type { Database } from '../../../db/connect.js';
import { acquireLease } from '../../../db/lease-queries.js';
import { currentRoutesOf, routeOf, writeRoute, type RouteWrite } from '../../../db/serving/route-queries.js';
import { releaseRoute } from '../../../db/serving/route-releases.js';
import { routeChanges } from '../../../db/serving/route-state.js';
import { RouteReader } from '../../../serving/control-plane/route-reader.js';
import { suiteDatabase } from '../../support/suite-database.js';
import { changeFacts } from '../../support/test-database.js';

let db: Database;
let ownerUrl: string;
suiteDatabase((opened) => ({ db, ownerUrl } = opened));

const environment = 'production' as const;
let writes = 0;
async function write(model: string, version: number, more: Partial<RouteWrite> = {}) {
  const held = await acquireLease(db, `rollout/${environment}/${model}`, 'test');
  if (!('grant' in held)) throw new Error('the lease is held');
  const split = [{ version, sharePct: 100 }];
  return writeRoute(db, {
    ...{ environment, model, split, reason: 'test', idempotencyKey: `w-${(writes += 1)}`, lease: held.grant },
    ...more,
  });
}

const all = async () => {
  const { routes, released } = await routeChanges(db, environment, 0);
  return { routes, released };
};
const read = async (reader: RouteReader) => {
  const { routes, released = [] } = await reader.read();
  return { routes: routes.toSorted((left, right) => (left.model < right.model ? -1 : 1)), released };
};

it('a poll reads nothing while nothing changes, and only what changed otherwise', async () => {
  for (const model of ['a', 'b', 'c']) await write(model, 1);
  const reader = new RouteReader(db, environment);
  const first = await reader.read();
  expect(await reader.read()).toBe(first);
  const changed = await write('b', 2);
  const second = await reader.read();
  expect(second.routes.map(({ model, epoch }) => `${model} ${epoch}`).sort()).toEqual(['a 1', 'b 2', 'c 1']);
  expect(second.routes).toContainEqual(changed);
  for (const model of ['a', 'c'])
    expect(second.routes.find((route) => route.model === model)).toBe(
      first.routes.find((route) => route.model === model),
    );
  expect(await reader.read()).toBe(second);
  await releaseRoute(db, { environment, model: 'left-over', actor: 'rita', reason: 'test' });
  expect((await reader.read()).released).toEqual(['left-over']);
});

it('misses no route of many that come at once', async () => {
  const reader = new RouteReader(db, environment);
  await reader.read();
  const models = Array.from({ length: 12 }, (_, at) => `many-${at}`);
  let done = false;
  const polling = (async () => {
    while (!done) await reader.read();
  })();
  await Promise.all(
    models.map(async (model) => {
      for (let version = 1; version <= 8; version += 1) await write(model, version);
    }),
  );
  done = true;
  await polling;
  const found = await read(reader);
  expect(found).toEqual(await all());
  expect(found.routes.filter(({ model, epoch }) => model.startsWith('many-') && epoch === 8)).toHaveLength(
    models.length,
  );
});

it('reads all again where a database was set back, to whatever revision', async () => {
  await write('set-back', 1);
  const reader = new RouteReader(db, environment);
  await reader.read();
  for (const ahead of [-1, 0, 3]) {
    await changeFacts(ownerUrl, async (sql) => {
      await sql`update routes set reason = ${`restored ${ahead}`} where model = 'set-back'`;
      await sql`update route_revisions set revision = revision + ${ahead}, changed_at = now()
        where environment = ${environment}`;
    });
    // One that has overtaken what is known meanwhile is met at the new connection that a restored database brings.
    if (ahead > 0) reader.forget();
    expect((await reader.read()).routes.find(({ model }) => model === 'set-back')?.reason).toBe(`restored ${ahead}`);
  }
});

it('the route in force is the one of the highest epoch, and an ended service has none', async () => {
  await write('one', 1);
  const repeated = await write('one', 2, { idempotencyKey: 'again' });
  expect(await write('one', 3, { idempotencyKey: 'again' })).toEqual(repeated);
  expect(await routeOf(db, environment, 'one')).toEqual(repeated);
  expect((await currentRoutesOf(db, environment)).find(({ model }) => model === 'one')).toEqual(repeated);
  await write('one', 2, { ended: { by: 'rita', reason: 'test' } });
  expect(await routeOf(db, environment, 'one')).toBeUndefined();
  expect((await currentRoutesOf(db)).filter(({ model }) => model === 'one')).toEqual([]);
  expect((await routeChanges(db, environment, 0)).routes.find(({ model }) => model === 'one')).toMatchObject({
    epoch: 3,
  });
});
