import { expect, test } from 'vitest';
import { GatewayMetrics } from '../../../../serving/telemetry/gateway-metrics.js';

function served() {
  const metrics = new GatewayMetrics('production');
  const named = new Set<string>();
  const isNamed = (model: string, version: number | undefined) =>
    version === undefined
      ? [...named].some((one) => one.startsWith(`${model}@`))
      : named.has(`${model}@${String(version)}`);
  const scrape = async () => {
    await metrics.removeUnnamed(isNamed);
    return metrics.registry.metrics();
  };
  return { metrics, named, scrape };
}

test('the series of a version that no route names go after two scrapes of its last counts, those of others stay', async () => {
  const { metrics, named, scrape } = served();
  for (const version of [1, 2]) {
    named.add(`m@${version}`);
    const meters = metrics.versionMeters('m', version);
    meters.answered(5);
    meters.failed();
    meters.shadow('dropped');
    metrics.batchRows.observe({ model: 'm', version: String(version) }, 3);
    metrics.unseenLevels.set({ model: 'm', version: String(version), feature: 'f' }, 4);
    metrics.events.inc({ model: 'm', version: String(version), kind: 'refused' });
  }
  for (let scrapes = 0; scrapes < 4; scrapes += 1) expect(await scrape()).toMatch(/version="1"/);
  named.delete('m@1');
  for (let scrapes = 0; scrapes < 2; scrapes += 1)
    expect(await scrape()).toMatch(
      /requests_total\{model="m",version="1",outcome="answered",environment="production"\} 1/,
    );
  const left = await scrape();
  expect(left).not.toMatch(/version="1"/);
  expect(left.match(/version="2"/g)?.length).toBeGreaterThan(25);
  metrics.queued.set({ model: 'm', version: '1' }, 0);
  expect(await scrape()).not.toMatch(/version="1"/);
});

test('a version that still answers without a route keeps its series until it is unloaded', async () => {
  const { metrics, scrape } = served();
  const meters = metrics.versionMeters('m', 1);
  for (let scrapes = 0; scrapes < 5; scrapes += 1) {
    meters.answered(1);
    expect(await scrape()).toContain(`outcome="answered",environment="production"} ${scrapes + 1}\n`);
  }
  await metrics.forgetVersion('m', 1);
  expect(await scrape()).not.toContain('version="1"');
});

test('the series of a model go when it has no route any more, and never those without a model', async () => {
  const { metrics, named, scrape } = served();
  named.add('m@1');
  metrics.routeEpoch.set({ model: 'm' }, 7);
  metrics.routeErrors.inc({ model: 'm' });
  metrics.spoolBytes.set({ log: 'labels' }, 3);
  for (let scrapes = 0; scrapes < 4; scrapes += 1) expect(await scrape()).toMatch(/route_epoch\{model="m"/);
  named.clear();
  await scrape();
  await scrape();
  const left = await scrape();
  expect(left).not.toMatch(/model="m"/);
  expect(left).toMatch(/spool_bytes\{log="labels"/);
});
