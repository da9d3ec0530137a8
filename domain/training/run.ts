/** How a run of the training pipeline ended. */
export const runOutcomes = [
  'registered',
  'gate-not-passed',
  'no-new-data',
  /** The same data, definition and trainer made a version before: it is found, and nothing is trained. */
  'unchanged',
  'data-missing',
  'quarantined',
  'training-failed',
  'cancelled',
  'failed',
] as const;
export type RunOutcome = (typeof runOutcomes)[number];

export const runSteps = ['snapshot', 'train', 'evaluate', 'gate', 'register'] as const;
export type RunStep = (typeof runSteps)[number];
