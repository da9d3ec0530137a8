import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { PerdureError } from '../domain/errors.js';
import { processResidentMb } from '../adapters/resident-memory.js';
import { defaultEngineLimits } from './engine-limits.js';
import type { EngineObserver, InferenceEngine } from './inference-engine.js';
import { WarmProcess } from './warm-process.js';
import { ModelProcess, type ModelProcessOptions } from './model-process.js';

export interface ProcessEngineOptions extends Partial<Omit<ModelProcessOptions, 'takeProcess' | 'observer'>> {
  /** Emptied and used as the working directory of every process. */
  workFolder: string;
  observer?: EngineObserver;
  /** Of one process's JavaScript heap, in MiB. */
  memoryMaxMb?: number;
  /**
   * Of one process altogether, in MiB, the runtime's own memory included: above it the process is killed. Not watched
   * where the system has no `/proc`.
   */
  residentMaxMb?: number;
}

const silent: EngineObserver = {
  batch: () => undefined,
  restart: () => undefined,
  outOfService: () => undefined,
  backInService: () => undefined,
};

/**
 * An engine with one process a model version: a model that crashes or hangs takes no other with it, and loading one
 * does not delay another.
 */
export async function createProcessEngine({
  workFolder,
  observer,
  memoryMaxMb = defaultEngineLimits.memoryMaxMb,
  residentMaxMb = defaultEngineLimits.residentMaxMb,
  ...limits
}: ProcessEngineOptions): Promise<InferenceEngine> {
  await rm(workFolder, { recursive: true, force: true });
  await mkdir(workFolder, { recursive: true });
  const spare = new WarmProcess({ workFolder: path.resolve(workFolder), memoryMaxMb });
  const options: ModelProcessOptions = {
    ...defaultEngineLimits,
    ...limits,
    takeProcess: () => spare.take(),
    observer: observer ?? silent,
  };
  const models = new Map<string, ModelProcess>();
  /** Those that are still loading included. */
  const watched = new Set<ModelProcess>();
  const memoryTimer = setInterval(() => {
    for (const model of watched) {
      const residentMb = model.processId === undefined ? undefined : processResidentMb(model.processId);
      if (residentMb !== undefined && residentMb > residentMaxMb) {
        model.end(`it used ${Math.round(residentMb)} MiB of memory, over the limit of ${residentMaxMb} MiB`);
      }
    }
  }, defaultEngineLimits.memoryLookMs).unref();

  return {
    async load(spec) {
      if (models.has(spec.key)) throw new PerdureError('state/conflict', `${spec.key} is already loaded.`);
      const startedAt = performance.now();
      const model = new ModelProcess(spec, options);
      watched.add(model);
      try {
        await model.start();
      } catch (error) {
        watched.delete(model);
        model.close();
        throw error;
      }
      models.set(spec.key, model);
      return { loadMs: performance.now() - startedAt };
    },
    unload(key) {
      const model = models.get(key);
      model?.close();
      if (model) watched.delete(model);
      models.delete(key);
      return Promise.resolve();
    },
    infer(key, rows, callerDeadline) {
      const model = models.get(key);
      if (model === undefined)
        return Promise.reject(new PerdureError('serving/failed', `${key} is not loaded. Try again.`));
      return model.infer(rows, callerDeadline);
    },
    outOfService: (key) => models.get(key)?.outOfService,
    retry: (key) => models.get(key)?.retry() ?? Promise.resolve(),
    status: () => [...models.values()].map((model) => model.status()),
    close() {
      clearInterval(memoryTimer);
      spare.close();
      for (const model of models.values()) model.close();
      models.clear();
      return Promise.resolve();
    },
  };
}
