import { z } from 'zod';

/** What a metric needs besides its name, to be one number. */
export type MetricQualifier = 'k' | 'class' | 'quantile';

/** One metric of a task. `domain/tasks` says which a task has; `docs/metrics.md` defines each. */
export interface MetricSpec {
  name: string;
  /** As people read it; begins a sentence. */
  title: string;
  /** `nearer`: neither end is good, a declared number between them is. */
  better: 'greater' | 'smaller' | 'nearer';
  least: number;
  greatest: number;
  /** Which of its values is meant; `may`: the metric is also one number over all of them. */
  takes?: { qualifier: MetricQualifier; need: 'must' | 'may' };
}

/** Fields by which gates and floors name one number of a report. */
export const metricNamingShape = {
  metric: z.string().min(1).max(80),
  /** Of `ndcg`, `mapAtK` and `recallAtK`: how many rows of a group count, from the highest score. */
  k: z.int().min(1).max(10_000).optional(),
  /** Of `f1` and `rocAuc` of a multiclass model: of this class alone. */
  class: z.union([z.string().min(1), z.int()]).optional(),
  /** Of `pinball`: of this quantile alone. */
  quantile: z.number().gt(0).lt(1).optional(),
};

export interface MetricNaming {
  metric: string;
  k?: number | undefined;
  class?: string | number | undefined;
  quantile?: number | undefined;
}

/** The key of a number in reports: `rocAuc`, `ndcg@10`, `f1:setosa`, `pinball@0.9`. */
export function metricKey({ metric, k, class: one, quantile }: MetricNaming): string {
  if (k !== undefined) return `${metric}@${k}`;
  if (quantile !== undefined) return `${metric}@${quantile}`;
  return one === undefined ? metric : `${metric}:${one}`;
}

/** The metric's name in a key. */
export const metricOfKey = (key: string): string => /^[^@:]*/.exec(key)?.[0] ?? key;
