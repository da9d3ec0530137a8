import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import type { ShapedRow } from '../adapters/data-engine/snapshot/read-shaped-rows.js';
import type { Contract } from '../domain/data/contract.js';
import flightDelay from '../models/flight-delay/model.js';
import { flightRows, shapedMonth } from './flight-data.js';
import { startFloor, type Floor } from './floor/floor.js';
import { startGateway, type BenchGateway } from './gateway.js';
import { inferRequests, type RequestShape } from './load/infer-requests.js';
import { startLoadGenerator, type LoadGenerator } from './load/load-generator.js';
import { openRegistry, type Registry } from './registry.js';
import { startServers, type BenchServers } from './servers.js';
import { trainedModel } from './trained-model.js';

/**
 * Everything that scenarios share: real servers, the trained model registered and routed, one gateway, the floor and
 * the load generator.
 */
export interface BenchWorld {
  /** Two versions of the model, trained on different months; version 1 serves. */
  modelFiles: readonly [string, string];
  servers: BenchServers;
  registry: Registry;
  gateway: BenchGateway;
  floor: Floor;
  load: LoadGenerator;
  model: string;
  contract: Contract;
  /** Real flights. */
  rows: readonly ShapedRow[];
  /** HTTP requests made of them. */
  requests: (shape: Pick<RequestShape, 'rowsPerRequest' | 'binary' | 'count'>) => Buffer[];
  /** Starts another gateway process on the same registry. */
  addGateway: () => Promise<BenchGateway>;
  /** Registers another version: version 2 again under another digest, so that a gateway must fetch and load it. */
  registerCopy: () => Promise<number>;
  /** Waits until every gateway has the route with this epoch in force. */
  inForce: (epoch: number) => Promise<void>;
  /**
   * Waits until the gateway has shipped the segments that are closed, so that this work falls into nobody's
   * measurement.
   */
  settle: () => Promise<void>;
  /**
   * Waits until the gateway has shipped everything that was logged, the segment that is still open too: half a minute.
   */
  shipAll: () => Promise<void>;
  stop: () => Promise<void>;
}

const projectRoot = fileURLToPath(new URL('..', import.meta.url));
const settleMs = 60_000;
const inForceMs = 60_000;
const statusSchema = z.object({
  spool: z.object({ predictions: z.object({ segments: z.number(), bytes: z.number() }) }),
});

/** @param say gets a line for each thing that takes its time. */
export async function buildWorld(say: (line: string) => void, rowsMax = 5_000): Promise<BenchWorld> {
  const home = path.join(projectRoot, '.perdure-bench');
  const stops: (() => Promise<unknown>)[] = [];
  let stopping: Promise<void> | undefined;
  const stop = () =>
    (stopping ??= (async () => {
      for (const one of stops.splice(0).reverse()) await one();
    })());
  // The servers are process groups of their own: a signal to this process does not reach them.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => void stop().finally(() => process.exit(130)));
  try {
    say('the model: trained on January 2013, and again on February');
    const modelFiles = [
      await trainedModel(projectRoot, home, '2013-01', '2013-02'),
      await trainedModel(projectRoot, home, '2013-02', '2013-01'),
    ] as const;
    const rows: readonly ShapedRow[] = await flightRows(
      await shapedMonth(projectRoot, path.join(home, 'flights'), '2013-01'),
      rowsMax,
    );
    const work = await mkdtemp(path.join(tmpdir(), 'perdure-bench-'));
    stops.push(() => rm(work, { recursive: true, force: true }));
    say('PostgreSQL and S3');
    const servers = await startServers(projectRoot, path.join(work, 'servers'));
    stops.push(servers.stop);
    const registry = await openRegistry(servers);
    stops.push(registry.close);
    for (const file of modelFiles) await registry.register(file);
    await registry.route([{ version: 1, sharePct: 100 }]);
    say('the gateway, the floor and the load generator, each in a process of its own');
    const { addGateway, inForce } = benchGateways(work, servers, registry, stops);
    const gateway = await addGateway();
    const floor = await startFloor(modelFiles[0]);
    stops.push(floor.stop);
    const load = await startLoadGenerator();
    stops.push(load.stop);
    return {
      modelFiles,
      servers,
      registry,
      gateway,
      floor,
      load,
      model: flightDelay.name,
      contract: flightDelay.contract,
      rows,
      addGateway,
      registerCopy: versionCopies(work, modelFiles[1], registry),
      inForce,
      requests: (shape) => inferRequests({ model: flightDelay.name, contract: flightDelay.contract, rows, ...shape }),
      settle: () => shipped(gateway.url, 'segments'),
      shipAll: () => shipped(gateway.url, 'bytes'),
      stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Gateway processes on one registry, each with a folder of its own below `work`. */
function benchGateways(work: string, servers: BenchServers, registry: Registry, stops: (() => Promise<unknown>)[]) {
  let made = 0;
  let running = 0;
  const addGateway = async () => {
    made += 1;
    const started = await startGateway(projectRoot, path.join(work, `gateway-${made}`), servers);
    running += 1;
    let stopping: Promise<void> | undefined;
    const stopOne = () => {
      if (stopping === undefined) running -= 1;
      return (stopping ??= started.stop());
    };
    stops.push(stopOne);
    return { ...started, stop: stopOne };
  };
  const inForce = async (epoch: number) => {
    const until = performance.now() + inForceMs;
    while ((await registry.acknowledged(epoch)) < running) {
      if (performance.now() > until)
        throw new Error(`the route of epoch ${epoch} was not in force within ${inForceMs / 1000} s`);
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
  };
  return { addGateway, inForce };
}

function versionCopies(work: string, modelFile: string, registry: Registry): () => Promise<number> {
  let copies = 0;
  return async () => {
    copies += 1;
    const copy = path.join(work, `copy-${copies}.onnx`);
    // A doc_string (field 6 of an ONNX model) changes the digest and nothing else; of several the last counts.
    const doc = Buffer.from(`copy ${copies}`);
    await writeFile(copy, Buffer.concat([await readFile(modelFile), Buffer.from([0x32, doc.length]), doc]));
    return registry.register(copy);
  };
}

async function shipped(url: string, what: 'segments' | 'bytes'): Promise<void> {
  const until = performance.now() + settleMs;
  while (performance.now() < until) {
    const { spool } = statusSchema.parse(await (await fetch(`${url}/v1/status`)).json());
    if (spool.predictions[what] === 0) return;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}
