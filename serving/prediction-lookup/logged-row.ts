import { z } from 'zod';
import { PerdureError } from '../../domain/errors.js';
import { environmentSchema } from '../../domain/names.js';
import type { LoggedPrediction, ReceivedLabel } from '../../domain/serving/passport.js';
import type { PredictionId } from '../../domain/serving/prediction-id.js';
import { outputColumns, overrideCauses, segmentBeganAt } from '../../domain/serving/prediction-log-columns.js';

/**
 * A segment may be written this long after a line was made, on a disk that is held up, and stay open this long after
 * its first.
 */
export const heldUpMaxMs = 60_000;
export const openMaxMs = 3_600_000;

const rowSchema = z.looseObject({
  prediction_id: z.string(),
  request_id: z.string().nullable(),
  at: z.string().transform(isoTime),
  environment: environmentSchema,
  model: z.string(),
  version: z.coerce.number(),
  epoch: z.coerce.number(),
  role: z
    .string()
    .nullish()
    .transform((role) => role ?? 'split'),
  /** Older lines have none; a newer gateway may know more causes. */
  chosen_by: z.enum(overrideCauses).nullable().catch(null),
  key_hash: z.string().nullable(),
  features: z.preprocess(
    (value) => (typeof value === 'string' ? JSON.parse(value) : value),
    z.record(z.string(), z.unknown()),
  ),
  latency_ms: z.number(),
});
/** A row of the log, of whichever task: what it answered stands in columns that others leave null. */
export const predictionSchema = rowSchema.transform((row): LoggedPrediction => ({
  ...row,
  outputs: Object.fromEntries(
    Object.keys(outputColumns).flatMap((name) =>
      row[name] === null || row[name] === undefined ? [] : [[name, row[name]]],
    ),
  ),
}));
/** As it lies in the object store: with a column a feature, in older objects with all of them as JSON text. */
export const storedSchema = z.looseObject({
  filename: z.string(),
  version: z.coerce.number(),
  features: z.string().nullable(),
});
export const labelSchema = z
  .object({
    label: z.boolean().nullish(),
    label_class: z.string().nullish(),
    label_number: z.number().nullish(),
    observed_at: z.string().transform(isoTime),
    received_at: z.string().transform(isoTime),
  })
  .transform(({ label, label_class: name, label_number: value, ...times }, context): ReceivedLabel => {
    const read = label ?? name ?? value;
    return read === null || read === undefined
      ? (context.addIssue('a label without a value'), z.NEVER)
      : { label: read, ...times };
  });

/** Whether a segment's name says that it may hold a prediction. */
export function mayHold(segment: string, { at, bootId }: PredictionId): boolean {
  const began = segmentBeganAt(segment)?.getTime();
  return (
    began !== undefined &&
    segment.includes(`-${bootId}-`) &&
    began <= at.getTime() + heldUpMaxMs &&
    began >= at.getTime() - openMaxMs
  );
}

/** The row of exactly this id. @throws PerdureError when there are only rows of a batch with this id. */
export function theRow(rows: readonly LoggedPrediction[], id: string): LoggedPrediction | undefined {
  const exact = rows.find((row) => row.prediction_id === id);
  const inBatch = rows.filter((row) => row.prediction_id.startsWith(`${id}.`) && !row.prediction_id.includes('~'));
  if (exact !== undefined || inBatch.length === 0) return exact;
  throw new PerdureError(
    'input/invalid',
    `${id} answered ${inBatch.length} rows. Ask for one of them: ${id}.0 to ${id}.${inBatch.length - 1}.`,
  );
}

/** DuckDB writes `2013-04-01 12:00:00.123`, UTC. */
function isoTime(text: string): string {
  return new Date(text.includes('T') ? text : `${text.replace(' ', 'T')}Z`).toISOString();
}
