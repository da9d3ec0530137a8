import type { HeaderLookup } from '../routing/active-route.js';
import { encodeInferResponse } from '../protocol/infer-response.js';
import { parseInferRequest } from '../protocol/infer-request.js';
import type { InferenceService } from './inference-service.js';
import { timeoutHeaderMs, waitsUntil } from '../../inference/caller-deadline.js';

/** An inference request of the REST protocol, its body whole. */
export interface RestInference {
  model: string;
  version: number | undefined;
  body: Buffer;
  header: HeaderLookup;
  hasLeft: () => boolean;
  /** Milliseconds of the monotonic clock. */
  receivedAt: number;
}

export interface RestAnswer {
  body: string | Buffer;
  headers: Record<string, string>;
}

/**
 * Reads a request, has it answered and writes the answer, however the bytes came.
 * @throws PerdureError for the caller to read.
 */
export async function answerInference(
  service: InferenceService,
  isDraining: () => boolean,
  request: RestInference,
): Promise<RestAnswer> {
  const { model, version, header, hasLeft, receivedAt } = request;
  const parsed = parseInferRequest(request.body, header('inference-header-content-length'));
  const until = waitsUntil(receivedAt, timeoutHeaderMs(header('x-request-timeout-ms')), parsed.timeoutMs);
  const served = await service.infer(model, parsed, {
    key: header('x-perdure-key'),
    version,
    receivedAt,
    callerDeadline: { until, hasLeft },
    header,
  });
  const { body, headerLength } = encodeInferResponse(
    model,
    served.version,
    parsed.id ?? served.predictionId,
    served.answer,
    served.wanted,
  );
  const headers: Record<string, string> = {
    'content-type': headerLength === undefined ? 'application/json; charset=utf-8' : 'application/octet-stream',
    'x-perdure-prediction-id': served.predictionId,
    'x-perdure-epoch': String(served.epoch),
  };
  if (headerLength !== undefined) headers['inference-header-content-length'] = String(headerLength);
  if (isDraining()) headers['connection'] = 'close';
  return { body, headers };
}
