import { z } from 'zod';
import { environmentSchema, type Environment } from '../../names.js';

/** So many rows of a window, which the entity keys and the seed choose: the same ones in every run. */
export const sampleOrderSchema = z.strictObject({
  /** Whose data it is, and the only environment that a model trained on it may enter. */
  environment: environmentSchema,
  rows: z.number().int().min(1),
  seed: z.number().int().min(0),
});
export type SampleOrder = z.infer<typeof sampleOrderSchema>;

/** What a snapshot says of itself that is a sample. */
export const rowSampleSchema = sampleOrderSchema.extend({
  /** Rows of the window that it was taken from. */
  of: z.number().int().min(0),
});
export type RowSample = z.infer<typeof rowSampleSchema>;

/** `a sample of 20000 of 336776 rows (seed 42), as development takes it`. */
export const describeSample = ({ environment, rows, of, seed }: RowSample): string =>
  `a sample of ${Math.min(rows, of)} of ${of} rows (seed ${seed}), as ${environment} takes it`;

/** Why a model must not enter an environment because of the rows that trained it; null where it may. */
export const whyStaysOut = (sample: SampleOrder | null, environment: Environment): string | null =>
  sample === null || sample.environment === environment
    ? null
    : `it was trained on a sample of at most ${sample.rows} rows, and only versions of all of production's data ` +
      `leave ${sample.environment}: train without --env ${sample.environment}`;
