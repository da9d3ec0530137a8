import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { GatewayEvent } from '../../../../domain/serving/gateway-event.js';
import { GatewayEvents } from '../../../../serving/telemetry/gateway-events.js';
import { GatewayMetrics } from '../../../../serving/telemetry/gateway-metrics.js';

const eventsOf = () =>
  new GatewayEvents({
    gateway: { gatewayId: 'g', environment: 'production', bootId: 'b' },
    metrics: new GatewayMetrics('production'),
    log: pino({ level: 'silent' }),
  });
const out = { model: 'm', version: 2, kind: 'out-of-service' as const, message: 'why' };

test('an event is offered under the same id until it is taken, what came meanwhile after it', async () => {
  const events = eventsOf();
  const offered: string[][] = [];
  const take = (fail: boolean) => (batch: readonly GatewayEvent[]) => {
    offered.push(batch.map(({ id }) => id));
    if (fail) events.record({ ...out, kind: 'back-in-service' });
    return fail ? Promise.reject(new Error('away')) : Promise.resolve();
  };
  events.record(out);
  await expect(events.flush(take(true))).rejects.toThrow('away');
  await events.flush(take(false));
  await events.flush(take(false));
  expect(offered).toEqual([['g/b/e1'], ['g/b/e1', 'g/b/e2']]);
  expect(events.pendingCount).toBe(0);
});

test('what waits is bounded: the oldest go', async () => {
  const events = eventsOf();
  for (let number = 0; number < 1_000; number += 1) events.record(out);
  const taken: string[] = [];
  await events.flush((batch) => Promise.resolve(void taken.push(...batch.map(({ id }) => id))));
  expect([taken.length, taken.at(-1)]).toEqual([200, 'g/b/e1000']);
});

test('a refusal that is repeated is told once', () => {
  const events = eventsOf();
  for (let attempt = 0; attempt < 5; attempt += 1) events.record({ ...out, kind: 'refused' });
  events.record({ ...out, kind: 'refused', message: 'another reason' });
  expect(events.pendingCount).toBe(2);
});
