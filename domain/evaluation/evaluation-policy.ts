import { z } from 'zod';
import { columnNameSchema } from '../names.js';
import { costMatrixSchema } from '../metrics/cost-matrix.js';
import { metricNamingShape } from '../metrics/metric.js';
import { ownMetricNameSchema, ownMetricSchema } from './own-metric.js';

/** One gate: a bound on a metric of the candidate, or on its difference from the champion on the same rows. */
export const gateRuleSchema = z
  .strictObject({
    name: z.string().min(1).max(80),
    ...metricNamingShape,
    /** Bounds on the candidate's own value. */
    atLeast: z.number().optional(),
    atMost: z.number().optional(),
    /**
     * How much worse than the champion the candidate may be, in the metric's own unit; 0 asks for no worse. Not asked
     * while there is no champion.
     */
    worseThanChampionByAtMost: z.number().min(0).optional(),
    /** Ask it of each level of this feature with at least `minRows` rows instead of all rows together. */
    slice: columnNameSchema.optional(),
    minRows: z.number().int().min(1).default(200),
  })
  .superRefine((rule, context) => {
    const asked = [rule.atLeast, rule.atMost, rule.worseThanChampionByAtMost].filter(
      (bound) => bound !== undefined,
    ).length;
    if (asked !== 1) {
      context.addIssue({
        code: 'custom',
        message: 'give exactly one of atLeast, atMost and worseThanChampionByAtMost',
      });
    }
  });
export type GateRule = z.infer<typeof gateRuleSchema>;

export const evaluationPolicySchema = z.strictObject({
  /**
   * Of the task `binary`: the chance from which yes is predicted (chance ≥ threshold). A number, or the one with the
   * best F1 or the best utility, chosen out of fold within the training rows (`domain/evaluation/choose-threshold.ts`).
   * A version keeps its own for life; gateways apply it in `serving/protocol/infer-response.ts`. It moves no
   * probability: of the judge's metrics only `quality` with the loss `error`, and a `value` that reads `label`, depend
   * on it.
   */
  threshold: z.union([z.number().min(0).max(1), z.literal('best-f1'), z.literal('best-utility')]).default(0.5),
  /** Of the task `binary`: what each outcome costs; with it `utility` is measured. */
  costs: costMatrixSchema.optional(),
  /** Metrics of the team's own, by name; gated like the task's. */
  metrics: z.record(ownMetricNameSchema, ownMetricSchema).optional(),
  /** Features whose levels are looked at one by one. */
  slices: z.array(columnNameSchema).default([]),
  /** Resamples of the paired bootstrap. */
  bootstrapRounds: z.number().int().min(100).max(10_000).default(500),
  confidencePct: z.number().min(50).max(99.9).default(95),
  /**
   * Largest allowed difference between the native model and ONNX on any row; of an output that is no chance, relative
   * to its size where that is above 1.
   */
  parityMax: z.number().positive().default(1e-5),
  /** Only a model without a label may have none. */
  gates: z.array(gateRuleSchema),
  /**
   * Whether gates that compare may go unasked where the champion cannot be measured on the same rows, since its columns
   * are gone or it predicts something else. Absent: `when-possible`.
   */
  comparison: z.enum(['required', 'when-possible']).optional(),
  /**
   * What is done about a score that only a leak or an easy problem explains: `refuse` when absent, or `accept` once
   * somebody has looked.
   */
  implausiblyGood: z.enum(['refuse', 'accept']).optional(),
});
export type EvaluationPolicy = z.infer<typeof evaluationPolicySchema>;
