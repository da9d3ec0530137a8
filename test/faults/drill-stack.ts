import path from 'node:path';
import { createObjectStore, type ObjectStore } from '../../adapters/object-store/object-store.js';
import { connectDatabase, type Database } from '../../db/connect.js';
import { builtGateway } from '../../infra/embedded/processes/built-gateway.js';
import type { ComponentReport, ComponentSpec } from '../../infra/embedded/processes/component.js';
import { findFreePorts } from '../../infra/embedded/processes/ports.js';
import { superviseComponent } from '../../infra/embedded/supervision/supervise.js';
import { loadPerdureConfig } from '../../perdure.config.js';
import { startKillStack, type KillStack } from '../drills/kill-stack.js';
import { createPlace, processesOf, type Place } from '../support/place.js';
import { pollUntil } from '../support/poll-until.js';
import { createHolds, type Holds } from './holds.js';
import { answersSteadily, type TrafficGateway } from './live-traffic.js';
import { stopTree } from './process-tree.js';
import { recordWrites } from './recorded-facts.js';
import { addressOf } from '../../infra/embedded/stack-environment.js';

export interface DrillStack {
  all: KillStack;
  db: Database;
  store: ObjectStore;
  holds: Holds;
  /** Two that serve production. */
  gateways: readonly [TrafficGateway, TrafficGateway];
  /** How many of them are not killed or paused by the drill; one that was killed stands when it answers again. */
  standing(): number;
  /** `kill -9` now; resolves when the successor works, of a gateway when it answers again. */
  kill(component: string): Promise<void>;
  /** Stops a component where it stands; what is returned lets it go on. */
  stop(component: string): Promise<() => void>;
  /** Stops everything. @returns processes that are left, one line each. */
  close(): Promise<string[]>;
}

const secondGateway = 'gateway-production-2';

/**
 * A whole stack with a second production gateway, workers that hold activities, signed decisions, and a database that
 * notes every write that matters.
 */
export async function startDrillStack(): Promise<DrillStack> {
  const own = await createPlace('faults');
  const holdFolder = path.join(own.home, 'holds');
  // The drills' model has policies for seconds, and one strategy without a judge: production would not take it.
  const floors = { PERDURE_FLOORS_FILE: 'test/faults/floors.json' };
  const env = {
    ...own.env,
    ...floors,
    PERDURE_HOLD_FOLDER: holdFolder,
    PERDURE_DECISION_TRUST: 'signed',
    PERDURE_GATEWAY_SEGMENT_SECONDS: '1',
  };
  const place: Place = { ...own, env, config: loadPerdureConfig(env) };
  const all = await startKillStack(place);
  const db = connectDatabase(all.stack.addresses.migrationDatabaseUrl);
  await recordWrites(db);
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } = all.stack.env;
  const store = createObjectStore({
    ...place.config.s3,
    endpoint: all.stack.addresses.s3Endpoint,
    accessKeyId,
    secretAccessKey,
  });

  const port = await findFreePorts(place.config.host, 2);
  const second = superviseComponent(
    place.home,
    gatewaySpec(place, all, port, await builtGateway(place.config.projectRoot)),
    () => undefined,
    () => undefined,
  );
  await second.start(new AbortController().signal);

  const reportOf = (name: string): ComponentReport => {
    const found = [...all.stack.components(), second.report()].find((component) => component.name === name);
    if (!found) throw new Error(`no component is called ${name}`);
    return found;
  };
  const untilRuns = (name: string) =>
    pollUntil(`${name} runs`, 120_000, () => {
      const { state, pid, restarts } = reportOf(name);
      return state === 'running' && pid !== undefined ? { pid, restarts } : undefined;
    });
  const { gateways, gatewaysGrpc } = all.stack.addresses;
  const { host } = place.config;
  const production: DrillStack['gateways'] = [
    {
      name: 'gateway-production',
      url: addressOf(gateways, 'production'),
      grpcAddress: addressOf(gatewaysGrpc, 'production'),
    },
    { name: secondGateway, url: `http://${host}:${port}`, grpcAddress: `${host}:${port + 1}` },
  ];
  /** What the drill has broken, once for each time that it did. */
  const broken: string[] = [];
  const mend = (name: string) => void broken.splice(broken.indexOf(name), 1);
  return {
    ...{ all, db, store, holds: createHolds(holdFolder) },
    gateways: production,
    standing: () => production.filter(({ name }) => !broken.includes(name)).length,
    async kill(name) {
      const before = await untilRuns(name);
      broken.push(name);
      process.kill(before.pid, 'SIGKILL');
      await pollUntil(`${name} is back`, 120_000, () => {
        const { state, pid, restarts } = reportOf(name);
        return (state === 'running' && restarts > before.restarts && pid !== before.pid) || undefined;
      });
      const gateway = production.find((one) => one.name === name);
      if (gateway) await pollUntil(`${name} answers`, 120_000, () => answersSteadily(gateway));
      mend(name);
    },
    async stop(name) {
      const goOn = stopTree((await untilRuns(name)).pid);
      broken.push(name);
      let isStopped = true;
      return () => {
        goOn();
        if (isStopped) mend(name);
        isStopped = false;
      };
    },
    async close() {
      await second.stop();
      await db.close();
      store.close();
      await all.stop();
      const left = processesOf(place.home);
      if (process.env['PERDURE_FAULT_KEEP'] === '1') process.stdout.write(`the drill's home is kept: ${place.home}\n`);
      else place.remove();
      return left;
    },
  };
}

/** A second gateway process of production beside the stack's own, as on another machine. */
function gatewaySpec({ config, env, home }: Place, { stack }: KillStack, port: number, program: string): ComponentSpec {
  const url = `http://${config.host}:${port}`;
  return {
    ...{ name: secondGateway, kind: 'node', address: url, version: undefined, ports: [] },
    prepare: () => Promise.resolve(),
    command: () => ({
      file: process.execPath,
      args: [program],
      env: {
        ...env,
        ...stack.env,
        PERDURE_GATEWAY_ENVIRONMENT: 'production',
        PERDURE_GATEWAY_PORT: String(port),
        PERDURE_GATEWAY_GRPC_PORT: String(port + 1),
        PERDURE_GATEWAY_HOME: path.join(home, secondGateway),
      },
      cwd: config.projectRoot,
    }),
    async check() {
      const response = await fetch(`${url}/v2/health/live`, { signal: AbortSignal.timeout(4_000) });
      if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    },
    ...{ stopSignal: 'SIGTERM', graceMs: 20_000, startTimeoutMs: 90_000 },
  };
}
