import { z } from 'zod';
import { requirementsOf } from './approval-slots.js';
import { digestOf } from '../canonical-json.js';
import type { GateRule } from '../evaluation/evaluation-policy.js';
import { metricKey, metricNamingShape } from '../metrics/metric.js';
import { isMetricName } from '../metrics/metric-catalogue.js';
import { taskOf } from '../tasks/task-of.js';
import type { TaskName } from '../tasks/task.js';
import { metricName } from '../rollout/judge/judge-policy.js';
import { environmentSchema, type Environment } from '../names.js';
import type { Rules } from './rules-in-force.js';

const strategies = ['canary', 'blue-green', 'shadow', 'ab', 'direct'] as const;
const bound = z.number().optional();

/**
 * A gate that every model whose task has the metric must have over all rows, at least as strict. Of other models it
 * asks nothing: a price has no ROC AUC.
 */
const gateFloorSchema = z
  .strictObject({
    ...metricNamingShape,
    metric: metricNamingShape.metric.refine(isMetricName, 'is no metric of any task'),
    ...{ atLeast: bound, atMost: bound, worseThanChampionByAtMost: bound },
  })
  .refine(
    ({ atLeast, atMost, worseThanChampionByAtMost }) =>
      [atLeast, atMost, worseThanChampionByAtMost].filter((one) => one !== undefined).length === 1,
    'give exactly one of atLeast, atMost and worseThanChampionByAtMost',
  );
type GateFloor = z.infer<typeof gateFloorSchema>;

/**
 * What an environment asks of every definition that promotes into it, whatever the definition says. The floors in force
 * are set in `perdure.config.ts`.
 */
export const floorSchema = z.strictObject({
  /**
   * So many different people must approve at least; with `roles`, only places that these roles alone may fill are
   * counted.
   */
  approvals: z
    .strictObject({
      count: z.number().int().min(0).max(10).default(0),
      roles: z.array(z.string().min(1)).min(1).optional(),
    })
    .prefault({}),
  /** Whether a definition may let the first version of an empty environment in by itself. */
  firstVersion: z.enum(['automatic', 'approval']).default('automatic'),
  strategies: z
    .array(z.enum(strategies))
    .min(1)
    .default([...strategies]),
  judge: z
    .strictObject({
      /** Names of metrics that must be judged, for example `errorShare` or `quality:error`. */
      metrics: z.array(z.string().min(1)).default([]),
      alphaMax: z.number().gt(0).max(0.5).default(0.5),
    })
    .prefault({}),
  gates: z.array(gateFloorSchema).default([]),
  /** The least `evaluation.confidencePct`: a narrower interval passes more easily. */
  confidencePctMin: z.number().min(50).max(99.9).default(50),
  /**
   * Whether a version that was trained with `until` must be tested on the newest mature partition: nobody picks an easy
   * month.
   */
  newestHoldout: z.boolean().default(false),
});
export type Floor = z.infer<typeof floorSchema>;

export const floorsSchema = z.record(environmentSchema, floorSchema);
export type Floors = z.infer<typeof floorsSchema>;
export type FloorsInput = z.input<typeof floorsSchema>;

/** The floor of an environment; one that the configuration does not name asks nothing. */
export const floorOf = (floors: Floors, environment: Environment): Floor =>
  floors[environment] ?? floorSchema.parse({});

export const floorDigest = (floor: Floor): string => digestOf(floor);

/** Where rules fall below an environment's floor, in the order of the definition; empty where they do not. */
export function belowFloor(
  { task, evaluation, promotion, rollout }: Rules & { task?: TaskName | undefined },
  floor: Floor,
): string[] {
  const problems: string[] = [];
  const measured = taskOf({ task }).metrics.map(({ name }) => name);
  for (const gate of floor.gates.filter(({ metric }) => measured.includes(metric))) {
    const asked = boundText(gate);
    if (!evaluation.gates.some((rule) => isAsStrict(rule, gate)))
      problems.push(`evaluation.gates: a gate on ${metricKey(gate)} over all rows is required, ${asked}`);
  }
  if (evaluation.confidencePct < floor.confidencePctMin)
    problems.push(
      `evaluation.confidencePct: ${evaluation.confidencePct}, at least ${floor.confidencePctMin} is required`,
    );
  const { count, roles } = floor.approvals;
  const counts = requirementsOf(promotion, true).filter(
    (one) => roles === undefined || one.roles.every((role) => roles.includes(role)),
  );
  const slots = counts.reduce((sum, one) => sum + one.count, 0);
  if (slots < count)
    problems.push(
      `promotion.approvals: ${slots}, at least ${count} ` +
        `${roles ? `from ${roles.join(' or ')} alone ` : ''}${count === 1 ? 'is' : 'are'} required`,
    );
  if (floor.firstVersion === 'approval' && promotion.firstVersion === 'automatic')
    problems.push('promotion.firstVersion: automatic, approval is required');
  if (!floor.strategies.includes(rollout.strategy))
    problems.push(`rollout.strategy: ${rollout.strategy}, ${floor.strategies.join(', ')} are allowed`);
  if (rollout.strategy !== 'direct') {
    const judged = rollout.judge.metrics.map(metricName);
    for (const name of floor.judge.metrics)
      if (!judged.includes(name)) problems.push(`rollout.judge.metrics: ${name} is required`);
    if (rollout.judge.alpha > floor.judge.alphaMax)
      problems.push(`rollout.judge.alpha: ${rollout.judge.alpha}, at most ${floor.judge.alphaMax} is allowed`);
  }
  return problems;
}

function isAsStrict(rule: GateRule, floor: GateFloor): boolean {
  if (metricKey(rule) !== metricKey(floor) || rule.slice !== undefined) return false;
  const within = (own: number | undefined, asked: number | undefined, sign: 1 | -1) =>
    asked === undefined || (own !== undefined && sign * own >= sign * asked);
  return (
    within(rule.atLeast, floor.atLeast, 1) &&
    within(rule.atMost, floor.atMost, -1) &&
    within(rule.worseThanChampionByAtMost, floor.worseThanChampionByAtMost, -1)
  );
}

function boundText({ atLeast, atMost, worseThanChampionByAtMost }: GateFloor): string {
  if (atLeast !== undefined) return `at least ${atLeast} or more strict`;
  if (atMost !== undefined) return `at most ${atMost} or more strict`;
  return `worse than the champion by at most ${worseThanChampionByAtMost} or more strict`;
}
