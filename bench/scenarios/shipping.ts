import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import type { ShapedRow } from '../../adapters/data-engine/snapshot/read-shaped-rows.js';
import type { Contract } from '../../domain/data/contract.js';
import { logPrediction } from '../../serving/prediction-log/prediction-log.js';
import { segmentToParquet } from '../../serving/prediction-log/segment-to-parquet.js';
import { Spool } from '../../serving/prediction-log/spool.js';
import { atMost } from '../figures/figure.js';
import { ratioSpread, spreadOf } from '../figures/statistics.js';
import type { Scenario } from '../scenario.js';

const rowsMade = 40_000;

/**
 * What turning a spool segment into Parquet costs a row, in this process and without a gateway: beside the floor, which
 * writes the same rows as lines of JSON and compresses them.
 */
export const shippingScenarios: Scenario[] = [1, 100].map((rowsPerRequest) => {
  const name = `shipping.rows${rowsPerRequest}`;
  const title =
    `µs of CPU a row to ship a segment, ${rowsPerRequest} rows a request / ` + 'the same rows as JSON lines, gzip';
  return {
    name,
    title,
    async run({ contract, rows }, { rounds }) {
      const folder = await mkdtemp(path.join(tmpdir(), 'perdure-shipping-'));
      try {
        const segment = await makeSegment(folder, contract, rows, rowsPerRequest);
        const measured: number[] = [];
        const floor: number[] = [];
        for (let round = 0; round < rounds; round += 1) {
          measured.push(
            await cpuUs(() => segmentToParquet('predictions', segment, path.join(folder, 'out.parquet'), folder)),
          );
          floor.push(await cpuUs(() => writeFile(path.join(folder, 'floor.gz'), gzipSync(jsonLines(rows)))));
        }
        const ratio = ratioSpread(measured, floor);
        return {
          ...{ name, title, unit: 'µs of CPU a row', ratio, failed: 0, rounds },
          measured: { us: spreadOf(measured) },
          reference: { us: spreadOf(floor) },
          wanted: [atMost('ratio', ratio.median, 1)],
          loadAverage: loadavg()[0] ?? NaN,
        };
      } finally {
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
});

async function cpuUs(work: () => Promise<unknown>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / rowsMade;
}

function jsonLines(rows: readonly ShapedRow[]): string {
  let text = '';
  for (let row = 0; row < rowsMade; row += 1) text += `${JSON.stringify(rows[row % rows.length])}\n`;
  return text;
}

/** A closed segment as a gateway writes it. */
async function makeSegment(folder: string, contract: Contract, rows: readonly ShapedRow[], rowsPerRequest: number) {
  const observer = { bytes: () => undefined, lost: () => undefined, writing: () => undefined };
  const limits = { segmentBytesMax: 1e9, segmentAgeMaxMs: 1e9, bytesMax: 1e9, flushEveryMs: 100 };
  const spool = new Spool({ folder, bootId: 'a9299a97', whenFull: 'refuse', observer, ...limits });
  await spool.start();
  const features = Object.entries(contract.features).map(([feature, { type }]) => ({ name: feature, type }));
  const at = new Date();
  for (let request = 0; request < rowsMade / rowsPerRequest; request += 1) {
    const own = Array.from(
      { length: rowsPerRequest },
      (_, row) => rows[(request * rowsPerRequest + row) % rows.length],
    );
    logPrediction(spool, {
      ...{ predictionId: `p-${at.getTime().toString(36)}-a9299a97-${request.toString(36)}`, requestId: undefined, at },
      ...{ environment: 'production', model: 'm', version: 1, epoch: 1, role: 'split', cause: undefined },
      ...{ keyDigest: undefined, features, latencyMs: 1.5 + request / 1000 },
      rows: {
        count: rowsPerRequest,
        columns: features.map(({ name: feature, type }) => {
          const values = own.map((row) => row?.features[feature] ?? null);
          return type === 'number'
            ? values.map((value) => (value === null ? NaN : Math.fround(Number(value))))
            : values.map((value) => (value === null ? '' : String(value)));
        }),
      },
      answer: {
        labels: new Int32Array(rowsPerRequest),
        probabilities: Float32Array.from(
          { length: rowsPerRequest * 2 },
          (_, place) => ((place * 7919 + request) % 9973) / 9973,
        ),
        classes: 2,
      },
    });
    if (request % 1_000 === 999) await spool.flush();
  }
  await spool.close();
  const [name = ''] = await readdir(path.join(folder, 'm'));
  return path.join(folder, 'm', name);
}
