import { z } from 'zod';
import { intervalSchema } from '../metrics/measured.js';
import { verdictSchema } from '../verdict.js';

const finiteOrNull = z.number().refine(Number.isFinite, 'must be finite').nullable();
const findingShape = { outcome: verdictSchema, value: finiteOrNull, interval: intervalSchema.nullable() };

/**
 * What one gate says. `value` is the candidate's metric, or its difference from the champion where the rule compares;
 * null when there is none.
 */
export const gateResultSchema = z.strictObject({
  name: z.string(),
  /** The key of what was asked of, as in reports; `parityMaxDifference` of the parity gate. */
  metric: z.string(),
  /** The level that decided, the worst one, when the gate asks level by level. */
  slice: z.strictObject({ feature: z.string(), level: z.string() }).optional(),
  ...findingShape,
  /** The bound in words. */
  bound: z.string(),
  reason: z.string(),
  /** Every level that was asked, when the gate asks level by level. */
  levels: z.array(z.strictObject({ level: z.string(), rows: z.number().int(), ...findingShape })).optional(),
});
export type GateResult = z.infer<typeof gateResultSchema>;

export const gateDecisionSchema = z.strictObject({
  results: z.array(gateResultSchema),
  /** Rules that could not be asked, and why. */
  notAsked: z.array(z.strictObject({ name: z.string(), reason: z.string() })),
});
export type GateDecision = z.infer<typeof gateDecisionSchema>;
