import { beforeEach, describe, expect, it } from 'vitest';
import postgres from 'postgres';
import type { Database } from '../../../db/connect.js';
import { acquireLease, releaseLease, takeOverLease } from '../../../db/lease-queries.js';
import { routeChannel, routeOf, writeRoute, type RouteWrite } from '../../../db/serving/route-queries.js';
import { routeHistory } from '../../support/route-history.js';
import type { LeaseGrant } from '../../../domain/lease-holder.js';
import { suiteDatabase } from '../../support/suite-database.js';
import { pollUntil } from '../../support/poll-until.js';

let db: Database;
let databaseUrl: string;
suiteDatabase((opened) => ({ db, url: databaseUrl } = opened));

let count = 0;
let name: string;
let model: string;
beforeEach(() => {
  model = `model-${++count}`;
  name = `rollout/production/${model}`;
});

async function grantOf(holder: string): Promise<LeaseGrant> {
  const taken = await acquireLease(db, name, holder);
  if (!('grant' in taken)) throw new Error(`held by ${taken.heldBy}`);
  return taken.grant;
}

describe('a lease', () => {
  it('goes to one of many who ask at once; the others learn who holds it', async () => {
    const answers = await Promise.all(
      Array.from({ length: 16 }, (_, index) => acquireLease(db, name, `holder-${index}`)),
    );
    const winners = answers.flatMap((answer) => ('grant' in answer ? [answer.grant.holder] : []));
    expect(winners).toHaveLength(1);
    expect(new Set(answers.flatMap((answer) => ('heldBy' in answer ? [answer.heldBy] : [])))).toEqual(new Set(winners));
  });

  it('is found again, under the same token, by a holder that asks twice', async () => {
    expect(await grantOf('a')).toEqual(await grantOf('a'));
  });

  it('goes under a higher token to whoever asks after it was given back, the same holder included', async () => {
    const first = await grantOf('a');
    await releaseLease(db, first);
    const second = await grantOf('a');
    await releaseLease(db, second);
    expect([first.token, second.token, (await grantOf('b')).token]).toEqual([1, 2, 3]);
  });

  it('is taken over once from a holder that has ended, under a higher token', async () => {
    const lost = await grantOf('gone');
    const taken = await Promise.all(
      ['b', 'c', 'd'].map((holder) => takeOverLease(db, name, { heldBy: 'gone', token: lost.token }, holder)),
    );
    expect(taken.filter(Boolean)).toHaveLength(1);
    const winner = ['b', 'c', 'd'][taken.indexOf(true)] ?? '';
    expect((await grantOf(winner)).token).toBe(lost.token + 1);
  });

  it('is not given back by a token that is no longer the current one', async () => {
    const old = await grantOf('a');
    await takeOverLease(db, name, { heldBy: 'a', token: old.token }, 'b');
    await releaseLease(db, old);
    expect(await acquireLease(db, name, 'c')).toMatchObject({ heldBy: 'b' });
  });
});

describe('a route', () => {
  const write = (lease: LeaseGrant, key: string, version = 1): RouteWrite => ({
    environment: 'production',
    model,
    lease,
    split: [{ version, sharePct: 100 }],
    reason: 'test',
    idempotencyKey: `${model}/${key}`,
  });

  it('is not written by a holder that lost its lease, nor after the lease was given back', async () => {
    const old = await grantOf('a');
    await takeOverLease(db, name, { heldBy: 'a', token: old.token }, 'b');
    await expect(writeRoute(db, write(old, 'late'))).rejects.toMatchObject({ code: 'lease/lost' });
    const current = await grantOf('b');
    await releaseLease(db, current);
    await expect(writeRoute(db, write(current, 'later'))).rejects.toMatchObject({ code: 'lease/lost' });
    expect(await routeHistory(db, model)).toEqual([]);
  });

  it('is written once under a key, at once and again later', async () => {
    const lease = await grantOf('a');
    const routes = await Promise.all(Array.from({ length: 6 }, () => writeRoute(db, write(lease, 'step-0'))));
    expect(new Set(routes.map((route) => route.epoch))).toEqual(new Set([1]));
    await writeRoute(db, write(lease, 'step-1', 2));
    expect((await writeRoute(db, write(lease, 'step-0'))).epoch).toBe(1);
    expect((await routeOf(db, 'production', model))?.split).toEqual([{ version: 2, sharePct: 100 }]);
  });

  it('gets the next epoch, without a gap, from writers at the same time', async () => {
    const lease = await grantOf('a');
    await Promise.all(
      Array.from({ length: 20 }, (_, index) => writeRoute(db, write(lease, `step-${index}`, index + 1))),
    );
    expect((await routeHistory(db, model)).map((route) => route.epoch)).toEqual(
      Array.from({ length: 20 }, (_, index) => index + 1),
    );
  });

  it('is told to those who listen, by its environment', async () => {
    const heard: string[] = [];
    const listener = postgres(databaseUrl, { max: 1 });
    try {
      await listener.listen(routeChannel, (payload) => void heard.push(payload));
      await writeRoute(db, write(await grantOf('a'), 'step-0'));
      await pollUntil('the notification arrives', 10_000, () =>
        heard.find((environment) => environment === 'production'),
      );
    } finally {
      await listener.end({ timeout: 5 });
    }
  });

  it('in force at an earlier time is found again', async () => {
    const lease = await grantOf('a');
    const first = await writeRoute(db, write(lease, 'step-0', 1));
    await pollUntil('the clock moves on', 10_000, () => (Date.now() > Date.parse(first.at) + 2 ? true : undefined));
    const second = await writeRoute(db, write(lease, 'step-1', 2));
    expect((await routeOf(db, 'production', model, new Date(first.at)))?.epoch).toBe(1);
    expect((await routeOf(db, 'production', model, new Date(Date.parse(second.at) - 1)))?.epoch).toBe(1);
    expect((await routeOf(db, 'production', model, new Date(second.at)))?.epoch).toBe(2);
    expect(await routeOf(db, 'production', model, new Date(Date.parse(first.at) - 1))).toBeUndefined();
  });
});
