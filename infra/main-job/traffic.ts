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
export async function replayTraffic({
  gatewayUrl,
  definition,
  requests,
  perSecond,
  signal,
  onCounts,
}: TrafficOptions): Promise<TrafficCounts> {
  const counts: TrafficCounts = { answered: {}, failed: 0 };
  const inputNames = Object.entries(definition.contract.features);
  const labels: { prediction_id: string; label: boolean; observed_at: string }[] = [];
  const underWay = new Set<Promise<void>>();

  const askOnce = async (body: string): Promise<{ version: string; predictionId: string }> => {
    const response = await fetch(new URL(`/v2/models/${definition.name}/infer`, gatewayUrl), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.timeout(answerWithinMs),
    });
    const text = await response.text();
    if (response.status >= 400 && response.status < 500 && response.status !== 429 && response.status !== 404) {
      throw new PerdureError('input/invalid', `the gateway refused a replayed flight: ${text.slice(0, 300)}`);
    }
    if (!response.ok) throw new Error(`${response.status} ${text.slice(0, 300)}`);
    return {
      version: answerSchema.parse(JSON.parse(text)).model_version,
      predictionId: response.headers.get('x-perdure-prediction-id') ?? '',
    };
  };

  const ask = async (request: FlightRequest, round: number): Promise<void> => {
    const id = round === 0 ? request.predictionId : `${request.predictionId}.${round}`;
    const inputs = inputNames.map(([name, feature]) => ({
      name,
      shape: [1, 1],
      datatype: feature.type === 'string' ? 'BYTES' : 'FP32',
      data: [request.features[name] ?? null],
    }));
    const body = JSON.stringify({ id, inputs });
    const deadline = Date.now() + answerWithinMs;
    for (;;) {
      try {
        const { version, predictionId } = await askOnce(body);
        counts.answered[version] = (counts.answered[version] ?? 0) + 1;
        if (predictionId)
          labels.push({ prediction_id: predictionId, label: request.label, observed_at: new Date().toISOString() });
        return;
      } catch (error) {
        if (error instanceof PerdureError) throw error;
        if (Date.now() >= deadline) {
          counts.failed += 1;
          return;
        }
        await delay(100);
      }
    }
  };

  const sendLabels = async (): Promise<void> => {
    const batch = labels.splice(0, 1000);
    if (batch.length === 0) return;
    const response = await fetch(new URL(`/v1/models/${definition.name}/labels`, gatewayUrl), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(batch),
      signal: AbortSignal.timeout(answerWithinMs),
    }).catch(() => undefined);
    // A label that was not accepted is sent again with the next batch; stored twice it counts once.
    if (!response?.ok) labels.unshift(...batch);
  };

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
    const asked = ask(request, Math.floor(sent / requests.length)).catch((error: unknown) => {
      failure = error;
    });
    underWay.add(asked);
    void asked.finally(() => underWay.delete(asked));
    if (sent % perSecond === perSecond - 1) {
      await sendLabels();
      onCounts?.(counts);
    }
  }
  await Promise.all(underWay);
  for (let tries = 0; labels.length > 0 && tries < 100; tries += 1) await sendLabels();
  if (failure !== undefined) throw failure;
  return counts;
}
