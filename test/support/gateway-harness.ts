import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { pino } from 'pino';
import { PerdureError } from '../../domain/errors.js';
import type { GatewayEvent } from '../../domain/serving/gateway-event.js';
import { definitionDigest, type ModelDefinition } from '../../domain/model/model-definition.js';
import type { PassportFacts, PassportQuestion } from '../../domain/serving/passport.js';
import type { FormerVersion, Route, RouteTarget, ServedVersion, Split } from '../../domain/serving/route.js';
import type { ServingWindow } from '../../domain/serving/serving-window.js';
import flightDelay from '../../models/flight-delay/model.js';
import type { ControlPlane, RouteState } from '../../serving/control-plane/control-plane.js';
import { buildGateway, type Gateway } from '../../serving/gateway.js';
import type { ShipperOptions } from '../../serving/prediction-log/shipper-messages.js';
import { exampleRow, type FlightRow } from '../integration/serving/flight-rows.js';
import type { GatewayLimits } from '../../serving/gateway-limits.js';

export { exampleRow, type FlightRow } from '../integration/serving/flight-rows.js';

const root = fileURLToPath(new URL('../../', import.meta.url));

/** What a hostile model does with rows whose `dep_delay` exceeds `limit`. */
export interface Trap {
  kind: 'hang' | 'memory';
  limit: number;
}

const madeBefore = new Map<string, Uint8Array>();

/** Writes a model whose answers can be computed by hand; see make_model.py. Each is made once in a test file. */
export function makeModel(file: string, bias: number, work = 0, trap?: Trap): string {
  const args = [bias, work, ...(trap ? [trap.kind, trap.limit] : [])].map(String);
  const made = madeBefore.get(args.join(' '));
  if (made !== undefined) writeFileSync(file, made);
  else {
    const program = path.join(root, 'test/support/make_model.py');
    execFileSync(path.join(root, '.tools/trainers/bin/python'), [program, file, ...args]);
    madeBefore.set(args.join(' '), readFileSync(file));
  }
  return file;
}

/** Probability of the positive class by the formula of make_model.py. */
export function expectedProbability(
  bias: number,
  row: { dep_delay: number; temp: number | null; carrier: string },
): number {
  return 1 / (1 + Math.exp(-(bias + 0.02 * row.dep_delay + 0.01 * (row.temp ?? 0) + (row.carrier === 'UA' ? 0.5 : 0))));
}

/** The body of an inference request in JSON for some rows. */
export function inferBody(
  rows: readonly FlightRow[],
  id?: string,
): { id?: string; inputs: { name: string; shape: number[]; datatype: string; data: unknown[] }[] } {
  const names = Object.keys(exampleRow) as (keyof FlightRow)[];
  const inputs = names.map((name) => ({
    name,
    shape: [rows.length, 1],
    datatype: typeof exampleRow[name] === 'string' ? 'BYTES' : 'FP32',
    data: rows.map((row) => row[name]),
  }));
  return id === undefined ? { inputs } : { id, inputs };
}

/** A control plane in memory that can be away. */
export class MemoryControlPlane implements ControlPlane {
  away = false;
  state: RouteState = { storeId: 'store-1', routes: [], versions: [] };
  former: FormerVersion[] = [];
  readonly definitions = new Map<string, ModelDefinition>();
  readonly acknowledgements: { model: string; epoch: number; storeId: string; error?: string }[] = [];
  readonly windows = new Map<string, ServingWindow>();
  looks = 0;
  readonly events = new Map<string, GatewayEvent>();
  heartbeats = 0;
  forgotten = 0;
  /** Fails after the effect, as a lost answer does. */
  loseAnswers = false;
  private readonly listeners = new Set<() => void>();

  routeState = (): Promise<RouteState> =>
    this.answer(() => {
      this.looks += 1;
      return structuredClone({ ...this.state, former: this.former });
    });
  definitionByDigest = (sha256: string): Promise<ModelDefinition> =>
    this.answer(() => {
      const found = this.definitions.get(sha256);
      if (found === undefined) throw new Error(`no definition ${sha256}`);
      return found;
    });
  recordGateway = (): Promise<void> => this.answer(() => void (this.heartbeats += 1));
  acknowledgeRoute: ControlPlane['acknowledgeRoute'] = ({ model, epoch, storeId, error }) =>
    this.answer(
      () => void this.acknowledgements.push({ model, epoch, storeId, ...(error !== undefined && { error }) }),
    );
  insertServingWindows = (windows: readonly ServingWindow[]): Promise<void> =>
    this.answer(() => {
      for (const window of windows) if (!this.windows.has(window.id)) this.windows.set(window.id, window);
      if (this.loseAnswers) throw new Error('the answer was lost');
    });
  insertGatewayEvents = (events: readonly GatewayEvent[]): Promise<void> =>
    this.answer(() => {
      for (const event of events) if (!this.events.has(event.id)) this.events.set(event.id, event);
      if (this.loseAnswers) throw new Error('the answer was lost');
    });
  passportFacts = ({ model, version, epoch }: PassportQuestion): Promise<PassportFacts> =>
    this.answer(() => {
      const served = this.state.versions.find((one) => one.model === model && one.version === version);
      const route = this.state.routes.find((one) => one.model === model && one.epoch === epoch);
      if (served === undefined) throw new Error(`no version ${version}`);
      const { artifactSha256, definitionSha256 } = served;
      return {
        version: {
          runId: `run-${version}`,
          snapshotSha256: '',
          artifactSha256,
          definitionSha256,
          registeredAt: '2026-01-01T00:00:00.000Z',
        },
        route: route ? { split: route.split, standby: route.standby, reason: route.reason, at: route.at } : null,
        promotion: null,
      };
    });
  forgetGateway = (): Promise<void> => this.answer(() => void (this.forgotten += 1));
  onRouteChange: ControlPlane['onRouteChange'] = (changed) =>
    this.answer(() => {
      this.listeners.add(changed);
      return () => Promise.resolve(void this.listeners.delete(changed));
    });

  /** Replaces a model's route and tells listeners. */
  route(model: string, epoch: number, split: Split, more: Partial<RouteTarget & Pick<Route, 'ended'>> = {}): void {
    this.routes([{ model, epoch, split, ...more }]);
  }

  /** Replaces the routes of several models at once. */
  routes(changes: readonly (Partial<RouteTarget> & Pick<Route, 'model' | 'epoch' | 'split'>)[]): void {
    const changed = changes.map((change) => this.routeOf(change));
    const named = new Set(changed.map((route) => route.model));
    this.state = { ...this.state, routes: [...this.state.routes.filter((one) => !named.has(one.model)), ...changed] };
    for (const listener of this.listeners) listener();
  }

  private routeOf(change: Partial<RouteTarget> & Pick<Route, 'model' | 'epoch' | 'split'>): Route {
    return {
      storeId: this.state.storeId,
      environment: 'production',
      shadows: [],
      standby: [],
      overrides: [],
      ...change,
      reason: 'test',
      at: new Date().toISOString(),
    };
  }

  private answer<T>(work: () => T): Promise<T> {
    if (this.away) return Promise.reject(new Error('connect ECONNREFUSED'));
    try {
      return Promise.resolve(work());
    } catch (error) {
      return Promise.reject(error instanceof Error ? error : new Error(String(error)));
    }
  }
}

/** Artifacts in a folder, as an object store would hand them out; it can be away. */
export class FolderArtifacts {
  away = false;
  /** Downloads that are held back. */
  waiting = 0;
  private held: Promise<void> | undefined;
  constructor(readonly folder: string) {}

  /** Holds downloads back until the returned function is called. */
  hold(): () => void {
    let letGo: () => void = () => undefined;
    this.held = new Promise((resolve) => {
      letGo = resolve;
    });
    return letGo;
  }

  /** Refuses content that is not what was registered, as the object store's client does. */
  async getToFile(key: string, file: string, { sha256 }: { sha256?: string } = {}): Promise<void> {
    this.waiting += 1;
    await this.held;
    this.waiting -= 1;
    if (this.away) throw new Error('the object store is away');
    const actual = await sha256Of(path.join(this.folder, key));
    if (sha256 !== undefined && actual !== sha256)
      throw new PerdureError('artifact/digest-mismatch', `Object ${key} has SHA-256 ${actual}, expected ${sha256}.`);
    await copyFile(path.join(this.folder, key), file);
  }
}

const sha256Of = async (file: string) =>
  createHash('sha256')
    .update(await readFile(file))
    .digest('hex');

export interface TestWorld {
  folder: string;
  controlPlane: MemoryControlPlane;
  artifacts: FolderArtifacts;
  /** Registers a version whose model has this bias, or is these bytes. */
  addVersion: (
    version: number,
    bias: number,
    options?: {
      work?: number;
      trap?: Trap | undefined;
      definition?: ModelDefinition;
      bytes?: Uint8Array;
      threshold?: number;
    },
  ) => Promise<ServedVersion>;
  start: (
    limits?: Partial<GatewayLimits>,
    objectStore?: ShipperOptions['store'],
  ) => Promise<{ gateway: Gateway; url: string; grpcAddress: string }>;
  close: () => Promise<void>;
}

/** A gateway with everything real but the control plane and the object store, which the test holds in its hand. */
export async function createTestWorld(): Promise<TestWorld> {
  const folder = await mkdtemp(path.join(tmpdir(), 'perdure-gateway-'));
  const objects = path.join(folder, 'objects');
  await mkdir(objects);
  const controlPlane = new MemoryControlPlane();
  const artifacts = new FolderArtifacts(objects);
  const gateways: Gateway[] = [];
  return {
    folder,
    controlPlane,
    artifacts,
    async addVersion(version, bias, { work = 0, trap, definition = flightDelay, bytes, threshold } = {}) {
      const artifactKey = `${definition.name}-${version}.onnx`;
      if (bytes) await writeFile(path.join(objects, artifactKey), bytes);
      else makeModel(path.join(objects, artifactKey), bias, work, trap);
      const artifactSha256 = await sha256Of(path.join(objects, artifactKey));
      const definitionSha256 = definitionDigest(definition);
      controlPlane.definitions.set(definitionSha256, definition);
      const served = {
        model: definition.name,
        version,
        artifactSha256,
        artifactKey,
        definitionSha256,
        ...(threshold !== undefined && { threshold }),
      };
      controlPlane.state.versions.push(served);
      return served;
    },
    async start(limits = {}, objectStore) {
      const gateway = await buildGateway({
        gatewayId: 'gateway-test',
        environment: 'production',
        url: 'http://127.0.0.1:0',
        home: path.join(folder, 'home'),
        productVersion: '0.0.0',
        controlPlane,
        artifacts,
        objectStore,
        keyHashSecret: 'a secret of the tests',
        log: pino({ level: process.env['PERDURE_TEST_LOG'] ?? 'silent' }),
        limits: { pollEveryMs: 100, heartbeatEveryMs: 100, windowEveryMs: 100, ...limits },
      });
      gateways.push(gateway);
      await gateway.start();
      const url = await gateway.app.listen({ host: '127.0.0.1', port: 0 });
      const grpcAddress = `127.0.0.1:${await gateway.listenGrpc({ host: '127.0.0.1', port: 0 })}`;
      return { gateway, url, grpcAddress };
    },
    async close() {
      await Promise.all(gateways.map((gateway) => gateway.stop().catch(() => undefined)));
      await rm(folder, { recursive: true, force: true, maxRetries: 5 });
    },
  };
}
