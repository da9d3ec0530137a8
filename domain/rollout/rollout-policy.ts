import { z } from 'zod';
import { isLogged, judgedMetricSchema, judgePolicySchema } from './judge/judge-policy.js';

const stageBounds = {
  /** Requests that the challenger must have answered in this stage before it is judged. */
  minRequests: z.number().int().min(1).default(200),
  /** Time that the stage lasts at least. */
  minSeconds: z.number().min(0).default(10),
  /** When this much time has passed without a pass, `onInconclusive` or waiting for data takes over. */
  maxSeconds: z.number().positive().default(3600),
};

const stepSchema = z.strictObject({
  /** The challenger's share of the traffic in this step. */
  sharePct: z.number().gt(0).max(100),
  ...stageBounds,
});
export type RolloutStep = z.infer<typeof stepSchema>;

const stepsSchema = z
  .array(stepSchema)
  .min(1)
  .superRefine((steps, context) => {
    for (const [index, step] of steps.entries()) {
      const previous = steps[index - 1];
      if (previous && step.sharePct <= previous.sharePct) {
        const message = `must be greater than the step before (${previous.sharePct})`;
        context.addIssue({ code: 'custom', path: [index, 'sharePct'], message });
      }
    }
    if (steps.at(-1)?.sharePct !== 100)
      context.addIssue({ code: 'custom', path: [], message: 'the last step must give the challenger 100 percent' });
  });

/** Requests that get the challenger in every stage, whatever the shares say; they are not judged. */
const testersSchema = z.strictObject({
  /** Values of X-Perdure-Key. */
  keys: z.array(z.string().min(1).max(1024)).max(1000).default([]),
  /** Header names, lower-case, and their values. */
  headers: z
    .array(
      z.strictObject({
        name: z.string().regex(/^[a-z0-9-]{1,100}$/, 'must be a header name in lower case'),
        value: z.string().min(1).max(1024),
      }),
    )
    .max(20)
    .default([]),
});
export type Testers = z.infer<typeof testersSchema>;

/** A second judgement after the rollout, when labels have come. */
const lateLabelsSchema = z.strictObject({
  /** A metric that reads labels or the prediction log. */
  metric: judgedMetricSchema.refine(
    isLogged,
    'must be quality, outcome or value: late labels say nothing about the others',
  ),
  /** Chance that it is wrongly found worse. */
  alpha: z.number().gt(0).max(0.5).default(0.05),
  /** Share of the predictions of the rollout whose label must be there. */
  coveragePct: z.number().gt(0).max(100).default(80),
  lookEveryHours: z
    .number()
    .positive()
    .max(24 * 30)
    .default(24),
  giveUpAfterHours: z
    .number()
    .positive()
    .max(24 * 400)
    .default(24 * 30),
  /** What a fail does: roll back, or only write down that it was wrong. */
  onFail: z.enum(['rollback', 'record']).default('rollback'),
});
export type LateLabelsPolicy = z.infer<typeof lateLabelsSchema>;

const common = {
  testers: testersSchema.prefault({}),
  /** Seconds between two looks of the judge. */
  lookEverySeconds: z.number().min(1).max(3600).default(5),
  /** Time that gateways have to acknowledge a route before the rollout goes back. */
  acknowledgeWithinSeconds: z.number().positive().max(3600).default(60),
  /** Left out: the rollout's own verdict is the last. */
  lateLabels: lateLabelsSchema.optional(),
};

const judged = {
  ...common,
  judge: judgePolicySchema.prefault({}),
  /** At the end of a stage whose verdict is inconclusive: ask a person, extend the stage, or roll back. */
  onInconclusive: z.enum(['pause', 'extend', 'rollback']).default('pause'),
};

/** The challenger's share grows step by step. */
const canarySchema = z.strictObject({ strategy: z.literal('canary'), steps: stepsSchema, ...judged });

/**
 * The challenger is made ready beside the champion, takes everything at once, and is watched while the champion stands
 * by.
 */
const blueGreenSchema = z.strictObject({
  strategy: z.literal('blue-green'),
  /** The bake: how long the champion stands by, and what must have been answered meanwhile. */
  bake: z.strictObject({ ...stageBounds, minSeconds: z.number().min(0).default(300) }).prefault({}),
  ...judged,
});

/** The challenger answers copies of requests off the answering path, then takes over by steps. */
const shadowSchema = z.strictObject({
  strategy: z.literal('shadow'),
  /** Share of the requests that is copied to each shadow. */
  samplePct: z.number().gt(0).max(100).default(100),
  ...stageBounds,
  /** What follows once the shadow has passed. */
  steps: stepsSchema.prefault([{ sharePct: 100, minRequests: 1, minSeconds: 0 }]),
  ...judged,
});

/** Champion and challenger share the keys for a while; the challenger stays only if it is better. */
const abSchema = z
  .strictObject({
    strategy: z.literal('ab'),
    challengerPct: z.number().gt(0).lt(100).default(50),
    /** What decides. Its margin is the least improvement that counts as better. */
    outcome: judgedMetricSchema.refine(
      ({ metric }) => metric !== 'scoreDistance',
      'must not be scoreDistance: a distance shows that versions differ, not which one is better',
    ),
    /**
     * `sequential`: decided as soon as it is clear, however often one looks; `fixed`: looked at once, at the horizon.
     */
    horizon: z
      .strictObject({
        kind: z.enum(['sequential', 'fixed']).default('sequential'),
        /** Observations of the outcome that each version needs; for `sequential` the most that are waited for. */
        observations: z.number().int().min(1).default(5000),
        maxSeconds: z
          .number()
          .positive()
          .default(14 * 86_400),
      })
      .prefault({}),
    minSeconds: stageBounds.minSeconds,
    /** Without a winner at the horizon: keep the champion, take the challenger, or ask a person. */
    onNoWinner: z.enum(['champion', 'challenger', 'pause']).default('champion'),
    ...judged,
  })
  .superRefine(({ outcome, judge }, context) => {
    if (outcome.alpha !== undefined && outcome.alpha >= judge.alpha) {
      const message = `must be less than judge.alpha (${judge.alpha}): the test's guardrail metrics need the rest`;
      context.addIssue({ code: 'custom', path: ['outcome', 'alpha'], message });
    }
  });

/** Everything at once, without a judge. */
const directSchema = z.strictObject({
  strategy: z.literal('direct'),
  /** Why nobody judges: it stands in the plan, the route and the audit. */
  reason: z.string().trim().min(1).max(500),
  ...common,
});

/** How a route moves from champion to challenger. */
export const rolloutPolicySchema = z.discriminatedUnion('strategy', [
  canarySchema,
  blueGreenSchema,
  shadowSchema,
  abSchema,
  directSchema,
]);
export type RolloutPolicy = z.infer<typeof rolloutPolicySchema>;
export type RolloutStrategy = RolloutPolicy['strategy'];
export type JudgedPolicy = Exclude<RolloutPolicy, { strategy: 'direct' }>;
