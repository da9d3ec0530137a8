import { PerdureError } from '../../domain/errors.js';
import type { Environment } from '../../domain/names.js';
import { championOf } from '../../domain/serving/route.js';
import type { PredictionId } from '../../domain/serving/prediction-id.js';
import { keyPoint, shareRangeAt } from '../../domain/serving/route-choice.js';
import type { ActiveRoute, HeaderLookup, RoutedVersion } from '../routing/active-route.js';
import type { InferRequest } from '../protocol/infer-request-shape.js';
import { answerOf, type Answer, type WantedOutput } from '../protocol/answer-shape.js';
import { wantedOutputs } from '../protocol/infer-response.js';
import type { InferenceEngine } from '../../inference/inference-engine.js';
import { assertWaiting, isCallersEnd, type CallerDeadline } from '../../inference/caller-deadline.js';
import type { KeyDigests } from '../routing/key-digest.js';
import { logPrediction } from '../prediction-log/prediction-log.js';
import type { LoadedVersion } from '../routing/loaded-version.js';
import type { RouteTable } from '../routing/route-table.js';
import type { ShadowTraffic } from './shadow-traffic.js';
import { checkKey, testedVersion } from './caller-headers.js';
import { assignFallback, assignVersion, type Assignment, type RoutedRequest } from './assign-version.js';
import { countVersionError, isOutOfService } from './counts-as-version-error.js';
import type { Spool } from '../prediction-log/spool.js';

export interface InferenceServiceDeps {
  environment: Environment;
  bootId: string;
  table: RouteTable;
  engine: InferenceEngine;
  predictions: Spool;
  keyDigests: KeyDigests;
  shadows: ShadowTraffic;
  /** Told when a version refuses what callers were promised. */
  onRefusal: RoutedRequest['onRefusal'];
  /** Undefined until routes are known; then what keeps a model's route from being served, if anything. */
  routeProblem: (model: string) => string | undefined;
  routesKnown: () => boolean;
}

export interface Served {
  predictionId: string;
  version: number;
  epoch: number;
  answer: Answer;
  wanted: readonly WantedOutput[];
}

export interface Caller {
  /** What makes routing sticky; the request's id stands in for it. */
  key: string | undefined;
  /** An explicit version, past the split. */
  version: number | undefined;
  /** Milliseconds of the monotonic clock at which the whole request was there. */
  receivedAt: number;
  /** RoutedRequest for what testers send, and only where a route looks for it. */
  header: HeaderLookup;
  callerDeadline: CallerDeadline;
}

/** How far the clock of another gateway may run ahead, or this one's be set back. */
const clockSkewMs = 5 * 60_000;

/** Answers inference requests, whatever protocol they came by: choose a version, check, infer, count, log. */
export class InferenceService {
  private number = 0;
  private readonly startedMs = Date.now();

  constructor(private readonly deps: InferenceServiceDeps) {}

  /** @throws PerdureError for the caller to read. */
  async infer(model: string, request: InferRequest, caller: Caller): Promise<Served> {
    const { environment, bootId, engine, predictions, keyDigests, table } = this.deps;
    assertWaiting(caller.callerDeadline);
    const active = table.route(model);
    if (active === undefined) throw this.unknown(model, caller.version);
    const chosen = this.choose(active, request.id, caller);
    const asked = {
      active,
      inputs: request.inputs,
      receivedAt: caller.receivedAt,
      engine,
      onRefusal: this.deps.onRefusal,
    };
    let assigned = assignVersion(chosen, asked);
    let wanted = wantedOutputs(assigned.by.loaded.shape, request);
    let answer: Answer;
    try {
      answer = await this.ask(assigned, caller);
    } catch (error) {
      if (isOutOfService(error)) return this.infer(model, request, caller);
      const fallback =
        error instanceof PerdureError && error.code === 'serving/failed'
          ? assignFallback(assigned.by, asked)
          : undefined;
      if (fallback === undefined) throw error;
      assigned = fallback;
      wanted = wantedOutputs(fallback.by.loaded.shape, request);
      answer = await this.ask(assigned, caller);
    }
    const { by: routed, rows } = assigned;
    const { loaded, epoch, role, cause } = routed;
    const { version } = loaded.served;
    const latencyMs = performance.now() - caller.receivedAt;
    const at = new Date();
    this.number += 1;
    const predictionId = `p-${at.getTime().toString(36)}-${bootId}-${this.number.toString(36)}`;
    routed.tally.answered(caller.receivedAt, latencyMs, answer);
    loaded.meters.answered(latencyMs);
    logPrediction(predictions, {
      predictionId,
      requestId: request.id,
      at,
      environment,
      model,
      version,
      epoch,
      role,
      cause,
      keyDigest: caller.key === undefined ? undefined : keyDigests.of(caller.key),
      features: loaded.compiled.features,
      rows,
      answer,
      latencyMs,
    });
    // Answers to testers are compared with nothing.
    if (active.shadows !== undefined && role === 'split') {
      this.deps.shadows.copy(active.shadows, { by: routed, predictionId, request, rows, key: caller.key });
    }
    return { predictionId, version, epoch, answer, wanted };
  }

  /** Asks the version's model, and counts its failure. */
  private async ask({ by, rows }: Assignment, { receivedAt, callerDeadline }: Caller): Promise<Answer> {
    const { key, served, shape } = by.loaded;
    try {
      return answerOf(shape, await this.deps.engine.infer(key, rows, callerDeadline), served.threshold);
    } catch (error) {
      if (isCallersEnd(error)) by.loaded.meters.givenUp();
      // The version is chosen again, and its error counted when it is still out of service then.
      else if (!isOutOfService(error)) countVersionError(by, receivedAt, error);
      throw error;
    }
  }

  /**
   * Whether there may be a prediction of this id: its own process knows for itself, of another one only that it made
   * none in the future.
   */
  mayHaveMade({ at, bootId, number }: PredictionId): boolean {
    const clockMs = at.getTime();
    if (clockMs > Date.now() + clockSkewMs) return false;
    return (
      bootId !== this.deps.bootId || (number >= 1 && number <= this.number && clockMs >= this.startedMs - clockSkewMs)
    );
  }

  /** The version asked for, or the champion. @throws PerdureError `model/unknown`. */
  versionOf(model: string, version: number | undefined): LoadedVersion {
    const active = this.deps.table.route(model);
    const found =
      version === undefined
        ? active && active.versions.get(championOf(active.route.split))
        : this.deps.table.version(model, version);
    if (found === undefined) throw this.unknown(model, version);
    return found;
  }

  /**
   * Why nobody answers here for a model, or for the version asked for; undefined while somebody does.
   * @throws PerdureError `model/unknown`.
   */
  notReadyBecause(model: string, version: number | undefined): string | undefined {
    const { engine, table } = this.deps;
    const reason = engine.outOfService(this.versionOf(model, version).key);
    const active = version === undefined ? table.route(model) : undefined;
    const standsIn = active?.route.standby.some((one) => {
      const loaded = active.versions.get(one);
      return loaded !== undefined && engine.outOfService(loaded.key) === undefined;
    });
    return standsIn === true ? undefined : reason;
  }

  /**
   * A version by number before overrides, and both before the split.
   * @throws PerdureError `model/unknown` or `input/invalid`.
   */
  private choose(active: ActiveRoute, id: string | undefined, caller: Caller): RoutedVersion {
    const { key } = caller;
    const { model } = active.route;
    const version = caller.version ?? testedVersion(caller.header);
    if (version !== undefined) return active.override(this.versionOf(model, version), 'version');
    const sticky = key ?? id;
    if (key !== undefined) checkKey(key);
    const override = active.overrides?.match(key, caller.header);
    if (override !== undefined) return override;
    const [first] = active.split;
    if (active.split.length === 1 && first !== undefined) return first.version;
    return shareRangeAt(active.split, sticky === undefined ? Math.random() * 100 : keyPoint(model, sticky)).version;
  }

  private unknown(model: string, version: number | undefined): PerdureError {
    const { table, routesKnown, routeProblem } = this.deps;
    if (!routesKnown())
      return new PerdureError(
        'serving/overloaded',
        'This gateway has not loaded its routes yet. Try again in a second.',
      );
    const problem = routeProblem(model);
    if (table.route(model) === undefined && problem !== undefined) {
      return new PerdureError('serving/overloaded', `Model ${JSON.stringify(model)} cannot be served yet: ${problem}`);
    }
    if (version !== undefined && table.route(model) !== undefined) {
      const loaded = table.versionsOf(model).map((one) => one.served.version);
      return new PerdureError(
        'model/unknown',
        `Version ${version} of ${model} is not loaded here. Loaded: ${loaded.join(', ')}.`,
      );
    }
    const served = table.routes().map((one) => one.route.model);
    return new PerdureError(
      'model/unknown',
      `Model ${JSON.stringify(model)} is not served here. Served: ${served.join(', ') || 'none yet'}.`,
    );
  }
}
