import { expect, test } from 'vitest';
import type { Database } from '../../../db/connect.js';
import { insertGatewayEvents, listGatewayEvents } from '../../../db/serving/gateway-events.js';
import { acquireLease } from '../../../db/lease-queries.js';
import { passportFacts } from '../../../db/serving/passport-queries.js';
import { openPromotion, recordDecision } from '../../../db/promotion/promotion-queries.js';
import { writeRoute } from '../../../db/serving/route-queries.js';
import { registerVersion } from '../../../db/model/version-queries.js';
import type { GatewayEvent } from '../../../domain/serving/gateway-event.js';
import { suiteDatabase } from '../../support/suite-database.js';
import { openedRun } from './registered-run.js';

let db: Database;
suiteDatabase((opened) => ({ db } = opened));

test('a passport knows run, route and who let the version in, by the decisions that counted', async () => {
  const run = await openedRun(db, 'm', 'run-1', null);
  await registerVersion(db, run);
  await openPromotion(db, {
    id: 'p-1',
    workflowId: 'w',
    model: 'm',
    version: 1,
    environment: 'production',
    requestedBy: 'ada',
  });
  const decision = {
    promotionId: 'p-1',
    via: 'update' as const,
    selfApproved: false,
    roles: ['approver'],
    comment: 'fine',
    reason: 'counts',
    at: '2026-01-01T00:00:00.000Z',
  };
  await recordDecision(db, { ...decision, sequence: 1, actor: 'bob', decision: 'approve', counted: true });
  await recordDecision(db, { ...decision, sequence: 2, actor: 'eve', decision: 'approve', counted: false });
  const lease = await acquireLease(db, 'rollout/production/m', 'test');
  if (!('grant' in lease)) throw new Error('the lease is held');
  const split = [{ version: 1, sharePct: 100 }];
  const { epoch } = await writeRoute(db, {
    environment: 'production',
    model: 'm',
    split,
    reason: 'first',
    idempotencyKey: 'k',
    lease: lease.grant,
  });
  const question = {
    environment: 'production' as const,
    model: 'm',
    version: 1,
    epoch,
    at: new Date(Date.now() + 60_000),
  };
  expect(await passportFacts(db, question)).toMatchObject({
    version: { runId: 'run-1', snapshotSha256: run.snapshotSha256, artifactSha256: run.artifactSha256 },
    route: { split, reason: 'first' },
    promotion: { id: 'p-1', requestedBy: 'ada', approvedBy: [{ actor: 'bob', via: 'update' }] },
  });
  expect(await passportFacts(db, { ...question, epoch: 99, at: new Date(0) })).toMatchObject({
    route: null,
    promotion: null,
  });
  await expect(passportFacts(db, { ...question, version: 2 })).rejects.toMatchObject({ code: 'not-found' });
});

test('an event of a gateway that is sent twice is stored once; the newest come first', async () => {
  const event = (number: number): GatewayEvent => ({
    ...{
      id: `g/b/e${number}`,
      gatewayId: 'g',
      environment: 'production',
      model: 'm',
      version: 1,
      kind: 'out-of-service',
      message: 'why',
    },
    at: `2026-01-0${number}T00:00:00.000Z`,
  });
  await insertGatewayEvents(db, [event(1)]);
  await insertGatewayEvents(db, [event(1), event(2)]);
  expect(
    (await listGatewayEvents(db, { model: 'm', environment: 'production', limit: 10 })).items.map(({ id }) => id),
  ).toEqual(['g/b/e2', 'g/b/e1']);
  expect((await listGatewayEvents(db, { model: 'other', limit: 10 })).items).toEqual([]);
});
