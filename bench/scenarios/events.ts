import { loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { atMost, type Figure } from '../figures/figure.js';
import type { LoadResult } from '../load/load-messages.js';
import { ratioSpread, spreadOf } from '../figures/statistics.js';
import type { BenchOptions } from '../options.js';
import type { Scenario } from '../scenario.js';
import type { BenchWorld } from '../world.js';

/** What may happen to a gateway while it serves; each is brought about by a route, as in a rollout. */
export const eventScenarios: Scenario[] = [
  event('event.canary-step', 'a canary step from 5 to 25 percent', {
    before: (world) => world.registry.route(canary(2, 5)),
    happen: (world) => world.registry.route(canary(2, 25)),
  }),
  event(
    'event.hot-load',
    'a version that was never loaded comes into the route, and is loaded while the others serve',
    {
      before: (world) => world.registry.route(champion),
      happen: async (world) => world.registry.route(canary(await world.registerCopy(), 5)),
    },
  ),
  event('event.shadow', 'a shadow begins to answer a copy of every request', {
    before: (world) => world.registry.route(champion),
    happen: (world) => world.registry.route(champion, [{ version: 2, samplePct: 100 }]),
  }),
];

const champion = [{ version: 1, sharePct: 100 }];
const canary = (version: number, sharePct: number) => [
  { version: 1, sharePct: 100 - sharePct },
  { version, sharePct },
];

interface Event {
  /** Puts the state before it in force. @returns the route's epoch. */
  before: (world: BenchWorld) => Promise<number>;
  happen: (world: BenchWorld) => Promise<number>;
}

const connections = 16;
/** The event falls into the first part of its stretch, which goes on while a new version warms up. */
const eventAfterMs = 500;

function event(name: string, what: string, { before, happen }: Event): Scenario {
  const title = `latency at an even rate while ${what}: 99th percentile / the quiet one just before`;
  return {
    name,
    title,
    async run(world, options) {
      const quiet: LoadResult[] = [];
      const during: LoadResult[] = [];
      const requests = world.requests({ rowsPerRequest: 1, binary: false, count: 2_000 });
      const stretch = () =>
        world.load.run({
          port: world.gateway.port,
          requests,
          connections,
          durationMs: options.seconds * 1000,
          perSecond: options.rate,
        });
      await world.inForce(await before(world));
      await stretch();
      for (let round = 0; round < options.rounds; round += 1) {
        await world.inForce(await before(world));
        await world.settle();
        quiet.push(await stretch());
        const [loaded] = await Promise.all([
          stretch(),
          delay(eventAfterMs).then(async () => world.inForce(await happen(world))),
        ]);
        during.push(loaded);
      }
      await world.inForce(await world.registry.route(champion));
      return figureOf(name, title, options, quiet, during);
    },
  };
}

function figureOf(
  name: string,
  title: string,
  { rounds, rate }: BenchOptions,
  quiet: LoadResult[],
  during: LoadResult[],
): Figure {
  const p99Ratio = ratioSpread(p99sOf(during), p99sOf(quiet));
  const failed = [...quiet, ...during].reduce((sum, result) => sum + result.failed, 0);
  const absolute = (results: LoadResult[]) => ({
    p50Ms: spreadOf(results.map((result) => result.p50Ms)),
    p99Ms: spreadOf(p99sOf(results)),
    maxMs: spreadOf(results.map((result) => result.maxMs)),
  });
  return {
    name,
    title,
    unit: 'ms',
    p99Ratio,
    measured: { ...absolute(during), perSecond: rate },
    reference: absolute(quiet),
    failed,
    firstFailure: during.find((result) => result.firstFailure !== undefined)?.firstFailure,
    rounds,
    wanted: [atMost('p99 ratio', p99Ratio.median, 2), { what: 'no failed request', met: failed === 0 }],
    loadAverage: loadavg()[0] ?? NaN,
  };
}

const p99sOf = (results: readonly LoadResult[]) => results.map((result) => result.p99Ms);
