import { loadavg } from 'node:os';
import { atMost } from '../figures/figure.js';
import { usageOfTree } from '../process-usage.js';
import { spreadOf } from '../figures/statistics.js';
import type { Scenario } from '../scenario.js';

const name = 'memory';
const title =
  'resident memory of the gateway and its processes over many single-row predictions: the last fifth / the second';
const stretches = 5;
const sampleEveryMs = 500;
const growthMax = 1.1;

/**
 * Flat means that the last fifth of all predictions needs no more memory than the second: the first one still grows
 * heaps to their working size.
 */
export const memoryScenario: Scenario = {
  name,
  title,
  onRequestOnly: true,
  async run({ load, gateway, requests, settle }, { predictions }) {
    const made = requests({ rowsPerRequest: 1, binary: false, count: 5_000 });
    const samples: number[][] = [];
    let failed = 0;
    let firstFailure: string | undefined;
    const seconds: number[] = [];
    for (let stretch = 0; stretch < stretches; stretch += 1) {
      const taken: number[] = [];
      const timer = setInterval(() => taken.push(residentMb(gateway.processId)), sampleEveryMs);
      const result = await load.run({
        port: gateway.port,
        requests: made,
        connections: 64,
        durationMs: 24 * 3_600_000,
        requestsMax: Math.ceil(predictions / stretches),
      });
      taken.push(residentMb(gateway.processId));
      clearInterval(timer);
      samples.push(taken);
      failed += result.failed;
      firstFailure ??= result.firstFailure;
      seconds.push(result.seconds);
      process.stderr.write(
        `· ${Math.round(((stretch + 1) / stretches) * 100)} %: ${Math.round(spreadOf(taken).median)} MB, ` +
          `${Math.round(result.perSecond)} requests/s\n`,
      );
      await settle();
    }
    const medians = samples.map((taken) => spreadOf(taken).median);
    const growth = (medians.at(-1) ?? NaN) / (medians[1] ?? NaN);
    return {
      name,
      title,
      unit: 'MB',
      ratio: { min: growth, median: growth, max: growth },
      measured: {
        ...Object.fromEntries(samples.map((taken, index) => [`fifth${index + 1}Mb`, spreadOf(taken)])),
        predictions,
      },
      failed,
      firstFailure,
      rounds: stretches,
      wanted: [atMost('growth', growth, growthMax), { what: 'no failed request', met: failed === 0 }],
      loadAverage: loadavg()[0] ?? NaN,
    };
  },
};

function residentMb(processId: number): number {
  return usageOfTree(processId).reduce((sum, one) => sum + one.residentMb, 0);
}
