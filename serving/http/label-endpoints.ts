import type { FastifyInstance, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { isLateLabel } from '../../domain/monitoring/monitoring-policy.js';
import { PerdureError } from '../../domain/errors.js';
import { parsePredictionId } from '../../domain/serving/prediction-id.js';
import type { InferenceService } from '../inference/inference-service.js';
import type { PredictionLookup } from '../prediction-lookup/prediction-lookup.js';
import { quoted, refusal } from '../../inference/refusal.js';
import type { Spool } from '../prediction-log/spool.js';

/** How far a caller's clock may run ahead. */
const skewMaxMs = 5 * 60_000;
const labelsMax = 10_000;
const shownMax = 10;
const noneTaken =
  `Send 1 to ${labelsMax.toLocaleString('en')} of {"prediction_id", "label", "observed_at"}; ` + 'none was accepted.';

const labelsSchema = z
  .array(
    z.strictObject({
      prediction_id: z.string().refine((id) => parsePredictionId(id) !== undefined, {
        error:
          'is not a prediction id: send the value of the header X-Perdure-Prediction-Id, with .ROW for a ' +
          'row of a multi-row request',
      }),
      /** What it may be is the model's to say: `labelReader`. */
      label: z.unknown().optional(),
      observed_at: z.iso.datetime({
        offset: true,
        error: 'must be an ISO 8601 time with its zone, for example 2013-04-01T12:00:00Z',
      }),
    }),
  )
  .min(1)
  .max(labelsMax);

/**
 * Takes what really happened. A label is accepted when it is on the gateway's disk, flushed; whoever sends one twice
 * need not worry: readers keep one label a prediction, the one received last.
 */
export function registerLabelEndpoints(
  app: FastifyInstance,
  deps: { service: InferenceService; labels: Spool; lookup: Pick<PredictionLookup, 'countLabels'> },
): void {
  app.post('/v1/models/:model/labels', async (request: FastifyRequest<{ Params: { model: string } }>, reply) => {
    const { served, monitoring, readLabel } = deps.service.versionOf(request.params.model, undefined);
    const { model } = served;
    const labels = parseLabels(request.body);
    const receivedAt = new Date();
    const unmatched: string[] = [];
    const late: string[] = [];
    const lines = labels.flatMap(({ prediction_id, label, observed_at }, index) => {
      const read = readLabel(label);
      if ('problem' in read)
        throw refusal(
          `labels[${index}].label is ${label === undefined ? 'missing' : quoted(label)}: it ${read.problem}.`,
          noneTaken,
        );
      const observedAt = new Date(observed_at);
      if (observedAt.getTime() > receivedAt.getTime() + skewMaxMs) {
        throw refusal(
          `labels[${index}].observed_at is ${observed_at}, which is in the future.`,
          'Send the time at which the outcome was known.',
        );
      }
      const id = parsePredictionId(prediction_id);
      if (id === undefined || !deps.service.mayHaveMade(id)) {
        unmatched.push(prediction_id);
        return [];
      }
      if (isLateLabel(monitoring, id.at, receivedAt)) {
        late.push(prediction_id);
        return [];
      }
      return JSON.stringify({
        prediction_id: id.labelled,
        model,
        [read.column]: read.value,
        observed_at: observedAt.toISOString(),
        received_at: receivedAt.toISOString(),
      });
    });
    try {
      if (lines.length > 0) await deps.labels.appendDurably(model, lines);
    } catch (error) {
      request.log.error({ err: error }, 'labels not stored');
      throw new PerdureError(
        'serving/overloaded',
        'The labels could not be stored; none of them was accepted. Send them again later.',
      );
    }
    return reply.code(202).send({
      accepted: lines.length,
      unmatched: unmatched.length,
      ...(unmatched.length > 0 && { unmatched_ids: unmatched.slice(0, shownMax) }),
      late: late.length,
      ...(late.length > 0 && {
        late_ids: late.slice(0, shownMax),
        late_after: `${monitoring.labelDelayMaxDays} days after the prediction (monitoring.labelDelayMaxDays)`,
      }),
      duplicates: 'kept: of several labels for one prediction, the last one received counts',
      matching: `see which ones matched a prediction with GET /v1/models/${model}/labels`,
    });
  });

  app.get(
    '/v1/models/:model/labels',
    async (request: FastifyRequest<{ Params: { model: string }; Querystring: { days?: string } }>) => {
      const { model } = deps.service.versionOf(request.params.model, undefined).served;
      const days = Number(request.query.days ?? 7);
      if (!(days > 0 && days <= 366))
        throw refusal(`days is ${quoted(request.query.days)}.`, 'Send a number of days up to 366.');
      return deps.lookup.countLabels(model, new Date(Date.now() - days * 86_400_000));
    },
  );
}

function parseLabels(body: unknown): z.infer<typeof labelsSchema> {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.isBuffer(body) ? body.toString('utf8') : '');
  } catch {
    throw refusal('The body is not JSON.', 'Send [{"prediction_id", "label", "observed_at"}].');
  }
  const parsed = labelsSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const where =
    issue === undefined || issue.path.length === 0
      ? 'The body'
      : `labels${issue.path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('')}`;
  throw refusal(`${where} is wrong: ${issue?.message ?? quoted(value)}.`, noneTaken);
}
