import { PerdureError } from '../domain/errors.js';
import { keyDigest } from '../domain/key-hash.js';
import type { Environment } from '../domain/names.js';
import { championOf } from '../domain/route.js';
import { chooseVersion, keyPoint } from '../domain/route-choice.js';
import type { InferRequest } from './infer-request.js';
import type { Answer } from './infer-response.js';
import type { InferenceEngine } from './inference-engine.js';
import { assertWaiting, type Patience } from './patience.js';
import { logPrediction, scoreOf } from './prediction-log.js';
import { refusal } from './refusal.js';
import type { LoadedVersion, RouteTable } from './route-table.js';
import type { ServingWindowCounter } from './serving-window-counter.js';
import type { Spool } from './spool.js';

export interface InferenceServiceDeps {
  environment: Environment;
  bootId: string;
  table: RouteTable;
  engine: InferenceEngine;
  predictions: Spool;
  windows: ServingWindowCounter;
  /** Undefined until routes are known; then what keeps a model's route from being served, if anything. */
  routeProblem: (model: string) => string | undefined;
  routesKnown: () => boolean;
}

export interface Served {
  predictionId: string;
  version: number;
  epoch: number;
  answer: Answer;
}

export interface Caller {
  /** What makes routing sticky; the request's id stands in for it. */
  key: string | undefined;
  /** An explicit version, past the split. */
  version: number | undefined;
  /** Milliseconds of the monotonic clock at which the whole request was there. */
  receivedAt: number;
  patience: Patience;
}

/** Answers inference requests, whatever protocol they came by: choose a version, check, infer, count, log. */
export class InferenceService {
  private number = 0;

  constructor(private readonly deps: InferenceServiceDeps) {}

  /** @throws PerdureError for the caller to read. */
  async infer(model: string, request: InferRequest, caller: Caller): Promise<Served> {
    const { environment, bootId, engine, predictions, windows } = this.deps;
    assertWaiting(caller.patience);
    const { loaded, epoch } = this.choose(model, request.id, caller);
    const { version } = loaded.served;
    const rows = loaded.compiled.readRows(request.inputs);
    let answer: Answer;
    try {
      answer = await engine.infer(loaded.key, rows, caller.patience);
    } catch (error) {
      // A caller who changes their mind says nothing about the version.
      if (error instanceof PerdureError && error.code === 'caller/left') throw error;
      windows.failed(model, version, epoch);
      loaded.meters.failed();
      throw error;
    }
    const latencyMs = performance.now() - caller.receivedAt;
    const at = new Date();
    this.number += 1;
    const predictionId = `p-${at.getTime().toString(36)}-${bootId}-${this.number.toString(36)}`;
    const scores = Array.from({ length: rows.count }, (_, row) => scoreOf(answer, row));
    windows.answered(model, version, epoch, latencyMs, scores);
    loaded.meters.answered(latencyMs);
    logPrediction(predictions, {
      predictionId,
      requestId: request.id,
      at,
      environment,
      model,
      version,
      epoch,
      keyDigest: caller.key === undefined ? undefined : keyDigest(caller.key),
      features: loaded.compiled.features,
      rows,
      answer,
      latencyMs,
    });
    return { predictionId, version, epoch, answer };
  }

  /** The version asked for, or the champion. @throws PerdureError `model/unknown`. */
  versionOf(model: string, version: number | undefined): LoadedVersion {
    const active = this.deps.table.route(model);
    const found =
      version === undefined ? active && active.versions.get(championOf(active.route.split)) : this.deps.table.version(model, version);
    if (found === undefined) throw this.unknown(model, version);
    return found;
  }

  private choose(model: string, id: string | undefined, { key, version }: Caller): { loaded: LoadedVersion; epoch: number } {
    const active = this.deps.table.route(model);
    if (active === undefined) throw this.unknown(model, version);
    const { epoch, split } = active.route;
    if (version !== undefined) return { loaded: this.versionOf(model, version), epoch };
    const sticky = key ?? id;
    if (sticky !== undefined && sticky.length > 1024)
      throw refusal('The header X-Perdure-Key is longer than 1,024 characters.', 'Send a shorter key.');
    const chosen = chooseVersion(split, split.length === 1 ? 0 : sticky === undefined ? Math.random() * 100 : keyPoint(model, sticky));
    const loaded = active.versions.get(chosen);
    if (loaded === undefined) throw this.unknown(model, chosen);
    return { loaded, epoch };
  }

  private unknown(model: string, version: number | undefined): PerdureError {
    const { table, routesKnown, routeProblem } = this.deps;
    if (!routesKnown()) return new PerdureError('serving/overloaded', 'This gateway does not know its routes yet. Try again in a second.');
    const problem = routeProblem(model);
    if (table.route(model) === undefined && problem !== undefined) {
      return new PerdureError('serving/overloaded', `Model ${JSON.stringify(model)} cannot be served yet: ${problem}`);
    }
    if (version !== undefined && table.route(model) !== undefined) {
      const loaded = table.versionsOf(model).map((one) => one.served.version);
      return new PerdureError('model/unknown', `Version ${version} of ${model} is not loaded here. Loaded: ${loaded.join(', ')}.`);
    }
    const served = table.routes().map((one) => one.route.model);
    return new PerdureError(
      'model/unknown',
      `Model ${JSON.stringify(model)} is not served here. Served: ${served.join(', ') || 'none yet'}.`,
    );
  }
}
