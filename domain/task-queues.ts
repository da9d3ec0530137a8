/** The queues of activities, by what one of them costs the worker that takes it. */
export const activityQueues = ['activities', 'waits', 'judging', 'evidence', 'data', 'training'] as const;
export type ActivityQueue = (typeof activityQueues)[number];

export interface TaskQueues extends Record<ActivityQueue, string> {
  /** Workflow tasks; the name that starters use. */
  workflows: string;
  /** Small reads and writes of facts: milliseconds. */
  activities: string;
  /** Waits for others, which poll and cost next to nothing, for minutes: locks, acknowledgements of gateways. */
  waits: string;
  /** Looks of the judge, which a rollout waits for: a second, or some with an engine on logs. */
  judging: string;
  /** Evidence, which a person waits for: a second, or minutes where models are evaluated again. Never before a look. */
  evidence: string;
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
    evidence: `${base}-evidence`,
    data: `${base}-data`,
    training: `${base}-training`,
  };
}
