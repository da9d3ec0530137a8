import { appendFile, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { loadavg, tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { valueTypeOf } from '../../domain/data/feature/feature-value.js';
import type { ShapedRow } from '../../adapters/data-engine/snapshot/read-shaped-rows.js';
import type { Contract } from '../../domain/data/contract.js';
import { logPrediction } from '../../serving/prediction-log/prediction-log.js';
import { PendingLines } from '../../serving/prediction-log/pending-lines.js';
import { openConverter, segmentToParquet } from '../../serving/prediction-log/segment-to-parquet.js';
import { answerOf, answerShape } from '../../serving/protocol/answer-shape.js';
import type { ServedPrediction } from '../../serving/prediction-log/served-prediction.js';
import { Spool } from '../../serving/prediction-log/spool.js';
import { atMost } from '../figures/figure.js';
import { ratioSpread, spreadOf } from '../figures/statistics.js';
import type { Scenario } from '../scenario.js';
import { textLine, textLinesToParquet } from '../shipping/json-text-log.js';

const rowsMade = 40_000;

/**
 * What turning a spool segment into Parquet costs a row, in this process and without a gateway, as the shipper does it:
 * in turn with how it was done when features were JSON text (`wanted` is half of that), and beside the floor, the same
 * rows as lines of JSON, compressed. Beside them what logging a row costs the thread that answers.
 */
export const shippingScenarios: Scenario[] = [1, 100].map((rowsPerRequest) => {
  const name = `shipping.rows${rowsPerRequest}`;
  const title = `µs of CPU a row to ship a segment, ${rowsPerRequest} rows a request / with features as JSON text`;
  return {
    name,
    title,
    async run({ contract, rows }, { rounds }) {
      const folder = await mkdtemp(path.join(tmpdir(), 'perdure-shipping-'));
      const converter = await openConverter(folder);
      try {
        const spooling = await writeSegments(folder, contract, rows, rowsPerRequest);
        const parquet = path.join(folder, 'out.parquet');
        const us = { now: [] as number[], before: [] as number[], floor: [] as number[] };
        const work = {
          now: () => segmentToParquet('predictions', spooling.segment, parquet, folder, converter),
          before: () => textLinesToParquet(path.join(folder, 'text.ndjson'), parquet, folder),
          floor: () => writeFile(path.join(folder, 'floor.gz'), gzipSync(jsonLines(rows))),
        };
        // The first round warms, and is not counted.
        for (let round = 0; round <= rounds; round += 1) {
          for (const side of round % 2 === 0 ? (['now', 'before'] as const) : (['before', 'now'] as const)) {
            const spent = await cpuUs(work[side]);
            if (round > 0) us[side].push(spent);
          }
        }
        // Not in turn with the two: the garbage that it leaves is collected at their cost.
        for (let round = 0; round < rounds; round += 1) us.floor.push(await cpuUs(work.floor));
        const ratio = ratioSpread(us.now, us.before);
        return {
          ...{ name, title, unit: 'µs of CPU a row', ratio, failed: 0, rounds },
          measured: { us: spreadOf(us.now), spoolUs: spooling.nowUs },
          reference: { us: spreadOf(us.before), spoolUs: spooling.beforeUs, floorUs: spreadOf(us.floor) },
          wanted: [atMost('ratio', ratio.median, 0.5)],
          loadAverage: loadavg()[0] ?? NaN,
        };
      } finally {
        converter.close();
        await rm(folder, { recursive: true, force: true });
      }
    },
  };
});

async function cpuUs(work: () => unknown): Promise<number> {
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

/** The requests go with this function: a shipper's heap is small. */
async function writeSegments(folder: string, contract: Contract, rows: readonly ShapedRow[], rowsPerRequest: number) {
  const served = servedRequests(contract, rows, rowsPerRequest);
  const { segment, us: nowUs } = await spool(folder, served);
  return { segment, nowUs, beforeUs: await writeTextLines(folder, served) };
}

function servedRequests(contract: Contract, rows: readonly ShapedRow[], rowsPerRequest: number): ServedPrediction[] {
  const features = Object.entries(contract.features).map(([name, feature]) => ({ name, type: valueTypeOf(feature) }));
  const at = new Date();
  const shape = answerShape({ contract });
  return Array.from({ length: rowsMade / rowsPerRequest }, (_, request) => {
    const own = Array.from(
      { length: rowsPerRequest },
      (_row, row) => rows[(request * rowsPerRequest + row) % rows.length],
    );
    return {
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
      answer: answerOf(shape, {
        values: Float32Array.from(
          { length: rowsPerRequest * 2 },
          (_value, place) => ((place * 7919 + request) % 9973) / 9973,
        ),
        width: 2,
      }),
    };
  });
}

/** Requests between two flushes: some thousand rows a second are so many in 100 ms. */
const rowsAFlush = 400;

/** A closed segment as a gateway writes it, and what that costs a row, the writing of the disk apart. */
async function spool(folder: string, served: readonly ServedPrediction[]): Promise<{ segment: string; us: number }> {
  const observer = { bytes: () => undefined, lost: () => undefined, writing: () => undefined };
  const limits = { segmentBytesMax: 1e9, segmentAgeMaxMs: 1e9, bytesMax: 1e9, flushEveryMs: 1e6 };
  const spooled = new Spool({ folder, bootId: 'a9299a97', whenFull: 'refuse', observer, ...limits });
  await spooled.start();
  const step = Math.max(1, (rowsAFlush * served.length) / rowsMade);
  let us = 0;
  for (let from = 0; from < served.length; from += step) {
    us += await cpuUs(() => {
      for (const one of served.slice(from, from + step)) logPrediction(spooled, one);
    });
    await spooled.flush();
  }
  await spooled.close();
  const [name = ''] = await readdir(path.join(folder, 'm'));
  return { segment: path.join(folder, 'm', name), us };
}

/** The same with features as JSON text. @returns what it costs a row */
async function writeTextLines(folder: string, served: readonly ServedPrediction[]): Promise<number> {
  const pending = new PendingLines();
  const step = Math.max(1, (rowsAFlush * served.length) / rowsMade);
  let us = 0;
  for (let from = 0; from < served.length; from += step) {
    us += await cpuUs(() => {
      for (const one of served.slice(from, from + step)) pending.add(textLine(one), one.rows.count);
    });
    const { chunks } = pending.take();
    await appendFile(path.join(folder, 'text.ndjson'), Buffer.concat(chunks));
    pending.giveBack(chunks);
  }
  return us;
}
