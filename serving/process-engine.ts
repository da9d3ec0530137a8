import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { PerdureError } from '../domain/errors.js';
import type { EngineObserver, InferenceEngine } from './inference-engine.js';
import { SpareProcess } from './spare-process.js';
import { ModelProcess, type ModelProcessOptions } from './model-process.js';

export interface ProcessEngineOptions extends Partial<Omit<ModelProcessOptions, 'takeProcess' | 'observer'>> {
  /** Emptied and used as the working directory of every process. */
  workFolder: string;
  observer?: EngineObserver;
  /** Of one process's JavaScript heap, in MiB. */
  memoryMaxMb?: number;
}

const defaults = {
  /** Micro-batches: 64 rows of a tree model take about 0.2 ms, so a batch delays nobody much. */
  batchRowsMax: 64,
  requestsMax: 2_000,
  rowsMax: 40_000,
  deadlineMs: 10_000,
  hangMs: 5_000,
  loadTimeoutMs: 60_000,
};

/** An engine with one process a model version: a model that crashes or hangs takes no other with it, and loading one does not delay another. */
export async function createProcessEngine({
  workFolder,
  observer,
  memoryMaxMb = 512,
  ...limits
}: ProcessEngineOptions): Promise<InferenceEngine> {
  await rm(workFolder, { recursive: true, force: true });
  await mkdir(workFolder, { recursive: true });
  const spare = new SpareProcess({ workFolder: path.resolve(workFolder), memoryMaxMb });
  const options: ModelProcessOptions = {
    ...defaults,
    ...limits,
    takeProcess: () => spare.take(),
    observer: observer ?? { batch: () => undefined, restart: () => undefined },
  };
  const models = new Map<string, ModelProcess>();

  return {
    async load(spec) {
      if (models.has(spec.key)) throw new PerdureError('state/conflict', `${spec.key} is already loaded.`);
      const startedAt = performance.now();
      const model = new ModelProcess(spec, options);
      try {
        await model.start();
      } catch (error) {
        model.close();
        throw error;
      }
      models.set(spec.key, model);
      return { loadMs: performance.now() - startedAt };
    },
    unload(key) {
      models.get(key)?.close();
      models.delete(key);
      return Promise.resolve();
    },
    infer(key, rows, patience) {
      const model = models.get(key);
      if (model === undefined) return Promise.reject(new PerdureError('serving/failed', `${key} is not loaded. Try again.`));
      return model.infer(rows, patience);
    },
    status: () => [...models.values()].map((model) => model.status()),
    close() {
      spare.close();
      for (const model of models.values()) model.close();
      models.clear();
      return Promise.resolve();
    },
  };
}
