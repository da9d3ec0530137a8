import { setTimeout as delay } from 'node:timers/promises';
import { z } from 'zod';
import { PerdureError } from '../../domain/errors.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import type { FlightRequest } from './flights-requests.js';

const answerSchema = z.object({ model_version: z.string() });

/** A prediction counts as failed when the same id gets no answer for this long. */
const answerWithinMs = 5000;

export interface TrafficCounts {
  /** Answers by version. */
  answered: Record<string, number>;
  failed: number;
}

export interface TrafficOptions {
  gatewayUrl: string;
  definition: ModelDefinition;
  requests: readonly FlightRequest[];
  perSecond: number;
  /** Ends the replay; what is under way is finished. */
  signal: AbortSignal;
  onCounts?: (counts: TrafficCounts) => void;
}

/**
 * Replays rows as live requests at an even pace, from the start again when they run out, and sends each one's label
 * after its answer.
 */
export async function replayTraffic(options: TrafficOptions): Promise<TrafficCounts> {
  const { requests, perSecond, signal, onCounts } = options;
  const caller = new ReplayingCaller(options);
  const underWay = new Set<Promise<void>>();
  let failure: unknown;
  const started = Date.now();
  for (let sent = 0; !signal.aborted && failure === undefined; sent += 1) {
    const due = started + (sent * 1000) / perSecond;
    if (due > Date.now() || underWay.size >= 64) {
      if (underWay.size >= 64) await Promise.race(underWay);
      else await delay(due - Date.now());
    }
    const request = requests[sent % requests.length];
    if (!request) throw new PerdureError('data/missing', 'There is nothing to replay.');
    const asked = caller.ask(request, Math.floor(sent / requests.length)).catch((error: unknown) => {
      failure = error;
    });
    underWay.add(asked);
    void asked.finally(() => underWay.delete(asked));
    if (sent % perSecond === perSecond - 1) {
      await caller.sendLabels();
      onCounts?.(caller.counts);
    }
  }
  await Promise.all(underWay);
  for (let tries = 0; caller.labelsWaiting > 0 && tries < 100; tries += 1) await caller.sendLabels();
  if (failure !== undefined) throw failure;
  return caller.counts;
}

/** Asks as an application would: the same id again until there is an answer, and the label when it is known. */
class ReplayingCaller {
  readonly counts: TrafficCounts = { answered: {}, failed: 0 };
  private readonly labels: { prediction_id: string; label: boolean; observed_at: string }[] = [];

  constructor(private readonly options: Pick<TrafficOptions, 'gatewayUrl' | 'definition'>) {}

  get labelsWaiting(): number {
    return this.labels.length;
  }

  async ask({ predictionId: name, features, label }: FlightRequest, round: number): Promise<void> {
    const inputs = Object.entries(this.options.definition.contract.features).map(([feature, { type }]) => ({
      name: feature,
      shape: [1, 1],
      datatype: type === 'string' ? 'BYTES' : 'FP32',
      data: [features[feature] ?? null],
    }));
    const body = JSON.stringify({ id: round === 0 ? name : `${name}.${round}`, inputs });
    const deadline = Date.now() + answerWithinMs;
    for (;;) {
      try {
        const { version, predictionId } = await this.askOnce(body);
        this.counts.answered[version] = (this.counts.answered[version] ?? 0) + 1;
        const observedAt = new Date().toISOString();
        if (predictionId) this.labels.push({ prediction_id: predictionId, label, observed_at: observedAt });
        return;
      } catch (error) {
        if (error instanceof PerdureError) throw error;
        if (Date.now() >= deadline) {
          this.counts.failed += 1;
          return;
        }
        await delay(100);
      }
    }
  }

  /** A label that was not accepted is sent again with the next batch; stored twice it counts once. */
  async sendLabels(): Promise<void> {
    const batch = this.labels.splice(0, 1000);
    if (batch.length === 0) return;
    const path = `/v1/models/${this.options.definition.name}/labels`;
    const response = await this.post(path, JSON.stringify(batch)).catch(() => undefined);
    if (!response?.ok) this.labels.unshift(...batch);
  }

  private async askOnce(body: string): Promise<{ version: string; predictionId: string }> {
    const response = await this.post(`/v2/models/${this.options.definition.name}/infer`, body);
    const text = await response.text();
    if (response.status >= 400 && response.status < 500 && response.status !== 429 && response.status !== 404) {
      throw new PerdureError('input/invalid', `the gateway refused a replayed flight: ${text.slice(0, 300)}`);
    }
    if (!response.ok) throw new Error(`${response.status} ${text.slice(0, 300)}`);
    return {
      version: answerSchema.parse(JSON.parse(text)).model_version,
      predictionId: response.headers.get('x-perdure-prediction-id') ?? '',
    };
  }

  private post(path: string, body: string): Promise<Response> {
    return fetch(new URL(path, this.options.gatewayUrl), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(answerWithinMs),
    });
  }
}
