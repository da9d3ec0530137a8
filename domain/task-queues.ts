/** The queues of activities, by what one of them costs the worker that takes it. */
export const activityQueues = ['activities', 'waits', 'judging', 'data', 'training'] as const;
export type ActivityQueue = (typeof activityQueues)[number];

export interface TaskQueues extends Record<ActivityQueue, string> {
  /** Workflow tasks; the name that starters use. */
  workflows: string;
  /** Small reads and writes of facts: milliseconds. */
  activities: string;
  /** Waits for others, which poll and cost next to nothing, for minutes: locks, acknowledgements of gateways. */
  waits: string;
  /** Looks of the judge and evidence: what a rollout or a person waits for. May open an engine on logs or a holdout. */
  judging: string;
  /** Snapshots and evaluations of runs: an engine or a model's process each, bound by memory. */
  data: string;
  /** Trainers: as many at a time as the worker has slots. */
  training: string;
}

/** The queue that starters name is the workflows' own; the others stand beside it. */
export function taskQueues(base: string): TaskQueues {
  return {
    workflows: base,
    activities: `${base}-activities`,
    waits: `${base}-waits`,
    judging: `${base}-judging`,
    data: `${base}-data`,
    training: `${base}-training`,
  };
}
