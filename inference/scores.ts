/** What a model says of some rows. */
export interface Scores {
  /** Row-major, `classes` a row. */
  probabilities: Float32Array;
  classes: number;
}
