import { createObjectStore } from '../adapters/object-store/object-store.js';
import { connectDatabase } from '../db/connect.js';
import { applyDefinition } from '../db/model/definition-queries.js';
import { liveGateways } from '../db/serving/gateway-queries.js';
import { acquireLease } from '../db/lease-queries.js';
import { writeRoute } from '../db/serving/route-queries.js';
import { definitionDigest } from '../domain/model/model-definition.js';
import { objectKeys } from '../domain/object-keys.js';
import type { RouteTargetInput, Split } from '../domain/serving/route.js';
import flightDelay from '../models/flight-delay/model.js';
import type { BenchServers } from './servers.js';

export interface Registry {
  /** Puts a model into the registry as the next version, its artifact into the object store. */
  register: (modelFile: string) => Promise<number>;
  /** Puts a route in force in the production environment, as a rollout does. @returns its epoch. */
  route: (split: Split, shadows?: RouteTargetInput['shadows']) => Promise<number>;
  /** How many gateways with a live lease have this epoch in force. */
  acknowledged: (epoch: number) => Promise<number>;
  close: () => Promise<void>;
}

/**
 * The control plane's part of a bench: what a training run and a rollout would write, written by the same functions
 * where there are some.
 */
export async function openRegistry({ databaseUrl, store: access }: BenchServers): Promise<Registry> {
  const db = connectDatabase(databaseUrl);
  const store = createObjectStore(access);
  await store.ensureBucket();
  await applyDefinition(db, flightDelay, 'bench');
  const definition = definitionDigest(flightDelay);
  const model = flightDelay.name;
  let versions = 0;
  let routes = 0;
  return {
    async register(modelFile) {
      versions += 1;
      const { sha256 } = await store.put(`bench/${versions}.onnx`, { file: modelFile });
      const key = objectKeys.artifact(sha256);
      await store.putImmutable(key, { file: modelFile });
      const run = `bench-run-${versions}`;
      await db.sql`insert into runs (id, workflow_id, model, definition_sha256, cause)
        values (${run}, 'bench', ${model}, ${definition}, '{}')`;
      await db.sql`insert into versions (model, version, run_id, definition_sha256, snapshot_sha256,
        artifact_sha256, artifact_key, signature, metrics, gates, evaluation_key, lineage)
        values (${model}, ${versions}, ${run}, ${definition}, '', ${sha256}, ${key}, '{}', '{}', '[]', '', '{}')`;
      return versions;
    },
    async route(split, shadows = []) {
      const lease = await acquireLease(db, `rollout/production/${model}`, 'bench');
      if (!('grant' in lease)) throw new Error('the rollout lease is held by somebody else');
      routes += 1;
      const written = await writeRoute(db, {
        environment: 'production',
        model,
        split,
        shadows,
        reason: 'bench',
        idempotencyKey: `bench-${routes}`,
        lease: lease.grant,
      });
      return written.epoch;
    },
    async acknowledged(epoch) {
      const gateways = await liveGateways(db, 'production', model);
      return gateways.filter((gateway) => gateway.epoch >= epoch && gateway.error === null).length;
    },
    async close() {
      store.close();
      await db.close();
    },
  };
}
