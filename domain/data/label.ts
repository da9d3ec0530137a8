import { z } from 'zod';
import { columnNameSchema } from '../names.js';

const common = {
  name: columnNameSchema,
  /** SQL expression over the joined columns; null means not yet labelled. */
  from: z.string().min(1).optional(),
  description: z.string().optional(),
};

/** What really happened. Which type a label may have is the task's to say (`domain/tasks`). */
export const labelSchema = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('boolean'), ...common }),
  /** `classes`: all there are, in the order of `probabilities`; absent, the sorted values of the training rows. */
  z.strictObject({ type: z.literal('integer'), classes: z.array(z.int()).min(2).max(1000).optional(), ...common }),
  z.strictObject({
    type: z.literal('string'),
    classes: z.array(z.string().min(1).max(256)).min(2).max(1000).optional(),
    ...common,
  }),
  /** Hard range, both ends included: a label outside it is an error of the data. */
  z.strictObject({ type: z.literal('number'), min: z.number().optional(), max: z.number().optional(), ...common }),
]);
export type Label = z.infer<typeof labelSchema>;
export type LabelType = Label['type'];

/** The label's column, where the model has a label: for lists of columns. */
export const labelColumns = ({ label }: { label?: Label | undefined }): string[] =>
  label === undefined ? [] : [label.name];
