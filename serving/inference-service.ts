import { PerdureError } from '../domain/errors.js';
import { keyDigest } from '../domain/key-hash.js';
import type { Environment } from '../domain/names.js';
import { championOf } from '../domain/route.js';
import { chooseVersion, keyPoint } from '../domain/route-choice.js';
import type { InferRequest } from './infer-request.js';
import type { Answer } from './infer-response.js';
import type { InferenceEngine } from './inference-engine.js';
import { logPrediction, scoreOf } from './prediction-log.js';
import { refusal } from './refusal.js';
import { standInFor, wasTakenOut } from './stand-in.js';
import type { ActiveRoute, LoadedVersion, RouteTable } from './route-table.js';
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
}

/** Answers inference requests, whatever protocol they came by: choose a version, check, infer, count, log. */
export class InferenceService {
  private number = 0;

  constructor(private readonly deps: InferenceServiceDeps) {}

  /** @throws PerdureError for the caller to read. */
  async infer(model: string, request: InferRequest, caller: Caller): Promise<Served> {
    const { environment, bootId, engine, predictions, windows } = this.deps;
    const { loaded: chosen, active } = this.choose(model, request.id, caller);
    const chosenBySplit = caller.version === undefined;
    const { epoch } = active.route;
    const standIn = standInFor(chosen, { ...active, chosenBySplit }, engine);
    const loaded = standIn ?? chosen;
    const { version } = loaded.served;
    const rows = loaded.compiled.readRows(request.inputs);
    if (standIn !== undefined) this.countFailure(chosen, epoch);
    let answer: Answer;
    try {
      answer = await engine.infer(loaded.key, rows);
    } catch (error) {
      if (wasTakenOut(error)) return this.infer(model, request, caller);
      this.countFailure(loaded, epoch);
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
      role: chosenBySplit && standIn === undefined ? 'split' : 'override',
      keyDigest: caller.key === undefined ? undefined : keyDigest(caller.key),
      features: loaded.compiled.features,
      rows,
      answer,
      latencyMs,
    });
    return { predictionId, version, epoch, answer };
  }

  private countFailure({ served: { model, version }, meters }: LoadedVersion, epoch: number): void {
    this.deps.windows.failed(model, version, epoch);
    meters.failed();
  }

  /** The version asked for, or the champion. @throws PerdureError `model/unknown`. */
  versionOf(model: string, version: number | undefined): LoadedVersion {
    const active = this.deps.table.route(model);
    const found =
      version === undefined ? active && active.versions.get(championOf(active.route.split)) : this.deps.table.version(model, version);
    if (found === undefined) throw this.unknown(model, version);
    return found;
  }

  private choose(model: string, id: string | undefined, { key, version }: Caller): { loaded: LoadedVersion; active: ActiveRoute } {
    const active = this.deps.table.route(model);
    if (active === undefined) throw this.unknown(model, version);
    const { split } = active.route;
    if (version !== undefined) return { loaded: this.versionOf(model, version), active };
    const sticky = key ?? id;
    if (sticky !== undefined && sticky.length > 1024)
      throw refusal('The header X-Perdure-Key is longer than 1,024 characters.', 'Send a shorter key.');
    const chosen = chooseVersion(split, split.length === 1 ? 0 : sticky === undefined ? Math.random() * 100 : keyPoint(model, sticky));
    const loaded = active.versions.get(chosen);
    if (loaded === undefined) throw this.unknown(model, chosen);
    return { loaded, active };
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
