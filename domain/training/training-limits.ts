/** What an installation allows runs of the training pipeline. */
export interface TrainingLimits {
  /** Runs of one model that may go on at a time; further ones wait for their turn. */
  perModelMax: number;
  /** The most urgent `training.priority` that a definition may state; 1 is the most urgent. */
  highestPriority: number;
}
