export interface TaskQueues {
  /** Workflow tasks; the name that starters use. */
  workflows: string;
  /** Light activities: database, object store, routes. */
  activities: string;
  /** Snapshots, training and evaluation: heavy, few at a time. */
  training: string;
}

/** The queue that starters name is the workflows' own; the others stand beside it. */
export function taskQueues(base: string): TaskQueues {
  return { workflows: base, activities: `${base}-activities`, training: `${base}-training` };
}
