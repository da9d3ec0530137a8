import { z } from 'zod';

const stepSchema = z.strictObject({
  /** The challenger's share of the traffic in this step. */
  sharePct: z.number().gt(0).max(100),
  /** Requests that the challenger must have answered in this step before it is judged. */
  minRequests: z.number().int().min(1).default(200),
  /** Time that the step lasts at least. */
  minSeconds: z.number().min(0).default(10),
  /** When this much time has passed without a pass, `onInconclusive` or waiting for data takes over. */
  maxSeconds: z.number().positive().default(3600),
});
export type RolloutStep = z.infer<typeof stepSchema>;

/** Bounds on effect sizes, challenger against champion on the same minutes. */
const judgePolicySchema = z.strictObject({
  /** By how much the challenger's share of failed requests may exceed the champion's, in percentage points. */
  errorShareMarginPct: z.number().gt(0).max(100).default(2),
  /** A request slower than this counts as slow. Rounded up to a bound of the gateways' latency histogram. */
  latencyLimitMs: z.number().positive().default(100),
  /** By how much the challenger's share of slow requests may exceed the champion's, in percentage points. */
  slowShareMarginPct: z.number().gt(0).max(100).default(5),
  /** Largest accepted Kolmogorov-Smirnov distance between the two score distributions. */
  scoreDistanceMax: z.number().gt(0).max(1).default(0.3),
  /** Chance of a wrong verdict that all metrics and looks of one step share. */
  alpha: z.number().gt(0).max(0.5).default(0.05),
});
export type JudgePolicy = z.infer<typeof judgePolicySchema>;

const canarySchema = z
  .strictObject({
    strategy: z.literal('canary'),
    steps: z.array(stepSchema).min(1),
    judge: judgePolicySchema.prefault({}),
    /** Seconds between two looks of the judge. */
    lookEverySeconds: z.number().min(1).max(3600).default(5),
    /** At the end of a step whose verdict is inconclusive: ask a person, extend the step, or roll back. */
    onInconclusive: z.enum(['pause', 'extend', 'rollback']).default('pause'),
    /** Time that gateways have to acknowledge a route before the rollout goes back. */
    acknowledgeWithinSeconds: z.number().positive().max(3600).default(60),
  })
  .superRefine((policy, context) => {
    for (const [index, step] of policy.steps.entries()) {
      const previous = policy.steps[index - 1];
      if (previous && step.sharePct <= previous.sharePct) {
        context.addIssue({
          code: 'custom',
          path: ['steps', index, 'sharePct'],
          message: `must be greater than the step before (${previous.sharePct})`,
        });
      }
    }
    if (policy.steps.at(-1)?.sharePct !== 100) {
      context.addIssue({ code: 'custom', path: ['steps'], message: 'the last step must give the challenger 100 percent' });
    }
  });

/** How a route moves from champion to challenger. Further strategies join this union. */
export const rolloutPolicySchema = z.discriminatedUnion('strategy', [canarySchema]);
export type RolloutPolicy = z.infer<typeof rolloutPolicySchema>;
export type CanaryPolicy = z.infer<typeof canarySchema>;
