import { z } from 'zod';

/**
 * What a row of each kind costs, in the team's own unit; what it brings is a negative cost. `utility` is the mean over
 * rows with the sign turned: greater is better.
 */
export const costMatrixSchema = z.strictObject({
  truePositive: z.number(),
  falsePositive: z.number(),
  trueNegative: z.number(),
  falseNegative: z.number(),
});
export type CostMatrix = z.infer<typeof costMatrixSchema>;
