import { z } from 'zod';

export const changeKinds = [
  'added',
  'dropped',
  'renamed?',
  'required',
  'default',
  'retyped',
  'widened',
  'narrowed',
  'nullable',
  'not-nullable',
  'level-added',
  'level-removed',
  'levels-closed',
  'levels-opened',
  'reordered',
  'max-length',
  'grace-period',
  'output',
] as const;

/** One difference between what callers were promised and what a challenger takes. */
export const contractChangeSchema = z.strictObject({
  /** The feature; `label` for the output. */
  feature: z.string(),
  change: z.enum(changeKinds),
  /** Whether a request that is answered today would be refused, or its answer would mean something else. */
  breaking: z.boolean(),
  /**
   * What the model sees where callers do not send the feature; null is a missing value. Absent where no caller of today
   * is affected.
   */
  default: z
    .union([z.number(), z.string(), z.boolean(), z.array(z.union([z.number(), z.string(), z.boolean()]))])
    .nullable()
    .optional(),
  /** What callers notice. */
  effect: z.string(),
  /** What to do about it; null where nothing needs doing. */
  remedy: z.string().nullable(),
});
export type ContractChange = z.infer<typeof contractChangeSchema>;
