import { loadavg } from 'node:os';
import { atMost } from '../figures/figure.js';
import { percentileOf, spreadOf } from '../figures/statistics.js';
import type { Scenario } from '../scenario.js';

const name = 'routes.change';
const title = 'time from writing a route until every one of three gateways has it in force, both versions loaded';
const gateways = 3;
const changesPerRound = 10;

/** Each round changes shares ten times, from the write in Postgres to the acknowledgement of the slowest gateway. */
export const routeChangeScenario: Scenario = {
  name,
  title,
  async run(world, { rounds }) {
    const added = [];
    for (let count = 1; count < gateways; count += 1) added.push(await world.addGateway());
    const tookMs: number[] = [];
    try {
      await world.inForce(await world.registry.route(shares(50)));
      for (let change = 0; change < rounds * changesPerRound; change += 1) {
        const startedAt = performance.now();
        await world.inForce(await world.registry.route(shares(change % 2 === 0 ? 40 : 60)));
        tookMs.push(performance.now() - startedAt);
      }
      await world.inForce(await world.registry.route([{ version: 1, sharePct: 100 }]));
    } finally {
      await Promise.all(added.map((gateway) => gateway.stop()));
    }
    const p99Ms = percentileOf(tookMs, 0.99);
    return {
      name,
      title,
      unit: 'ms',
      measured: { tookMs: spreadOf(tookMs), p99Ms, changes: tookMs.length, gateways },
      failed: 0,
      rounds,
      wanted: [atMost('p99 in ms', p99Ms, 1_000)],
      loadAverage: loadavg()[0] ?? NaN,
    };
  },
};

const shares = (sharePct: number) => [
  { version: 1, sharePct: 100 - sharePct },
  { version: 2, sharePct },
];
