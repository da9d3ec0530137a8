import type { Environment } from '../../domain/names.js';
import { shadowPoint } from '../../domain/serving/route-choice.js';
import type { RoutedVersion, ShadowVersion } from '../routing/active-route.js';
import type { Rows } from '../../inference/compiled-contract.js';
import type { InferRequest } from '../protocol/infer-request-shape.js';
import { answerOf, type Answer } from '../protocol/answer-shape.js';
import type { InferenceEngine } from '../../inference/inference-engine.js';
import type { KeyDigests } from '../routing/key-digest.js';
import { countsAsVersionError, isRefusal } from './counts-as-version-error.js';
import { logPrediction } from '../prediction-log/prediction-log.js';
import type { LoadedVersion } from '../routing/loaded-version.js';
import type { Spool } from '../prediction-log/spool.js';

export interface ShadowTrafficDeps {
  environment: Environment;
  engine: InferenceEngine;
  predictions: Spool;
  keyDigests: KeyDigests;
  limits: ShadowLimits;
}

/** Of each shadow: copies that wait or are being answered. What does not fit is dropped. */
export interface ShadowLimits {
  requestsMax: number;
  rowsMax: number;
}

/** A request that was answered, as its copies need it. */
export interface Answered {
  by: RoutedVersion;
  predictionId: string;
  request: InferRequest;
  /** What the answering version read. */
  rows: Rows;
  key: string | undefined;
}

/** Copies under way to one shadow. */
interface Outstanding {
  requests: number;
  rows: number;
}

/**
 * Copies of answered requests for the shadows of a route. A copy is taken up only after its request's answer has left,
 * nothing waits for it, and each shadow has a bound of its own: a slow shadow loses copies, and never delays an answer.
 */
export class ShadowTraffic {
  private readonly outstanding = new WeakMap<LoadedVersion, Outstanding>();
  private stopped = false;

  constructor(private readonly deps: ShadowTrafficDeps) {}

  /**
   * Copies a request to those shadows whose sample it is in. The same key or id is in or out at every gateway and in
   * every epoch.
   */
  copy(shadows: readonly ShadowVersion[], answered: Answered): void {
    const sticky = answered.key ?? answered.request.id;
    let point = -1;
    for (const shadow of shadows) {
      if (shadow.samplePct < 100) {
        if (point < 0)
          point = sticky === undefined ? Math.random() * 100 : shadowPoint(shadow.loaded.served.model, sticky);
        if (point >= shadow.samplePct) continue;
      }
      this.take(shadow, answered);
    }
  }

  /** Copies still under way no longer count. */
  stop(): void {
    this.stopped = true;
  }

  private take(shadow: ShadowVersion, answered: Answered): void {
    const { limits } = this.deps;
    const rows = answered.rows.count;
    let outstanding = this.outstanding.get(shadow.loaded);
    if (outstanding === undefined) {
      outstanding = { requests: 0, rows: 0 };
      this.outstanding.set(shadow.loaded, outstanding);
    }
    const { requests } = outstanding;
    if (this.stopped || requests >= limits.requestsMax || (requests > 0 && outstanding.rows + rows > limits.rowsMax)) {
      shadow.loaded.meters.shadow('dropped');
      return;
    }
    outstanding.requests += 1;
    outstanding.rows += rows;
    // The answer is written in the tick in which it was made; the copy's work comes after it.
    setImmediate(() => void this.ask(shadow, answered, outstanding));
  }

  private async ask(shadow: ShadowVersion, answered: Answered, outstanding: Outstanding): Promise<void> {
    const { loaded, tally } = shadow;
    const handedOverAt = performance.now();
    try {
      const rows = rowsFor(shadow, answered);
      const scores = await this.deps.engine.infer(loaded.key, rows);
      const answer = answerOf(loaded.shape, scores, loaded.served.threshold);
      if (this.stopped) return;
      const latencyMs = performance.now() - handedOverAt;
      tally.answered(handedOverAt, latencyMs, answer);
      loaded.meters.shadow('answered');
      this.log(shadow, answered, rows, answer, latencyMs);
    } catch (error) {
      if (this.stopped) return;
      if (countsAsVersionError(error)) tally.failed(handedOverAt);
      loaded.meters.shadow(isRefusal(error) ? 'refused' : 'failed');
    } finally {
      outstanding.requests -= 1;
      outstanding.rows -= answered.rows.count;
    }
  }

  private log(
    { loaded, epoch, role, cause }: ShadowVersion,
    answered: Answered,
    rows: Rows,
    answer: Answer,
    latencyMs: number,
  ): void {
    const { model, version } = loaded.served;
    logPrediction(this.deps.predictions, {
      predictionId: answered.predictionId,
      requestId: answered.request.id,
      at: new Date(),
      environment: this.deps.environment,
      model,
      version,
      epoch,
      role,
      cause,
      keyDigest: answered.key === undefined ? undefined : this.deps.keyDigests.of(answered.key),
      features: loaded.compiled.features,
      rows,
      answer,
      latencyMs,
    });
  }
}

/** The rows under the shadow's own contract. @throws PerdureError `input/invalid` when it refuses them. */
function rowsFor({ loaded, read }: ShadowVersion, { by, rows, request }: Answered): Rows {
  return loaded.contractSha256 === by.loaded.contractSha256 ? rows : read(request.inputs);
}
