/** What a model says of some rows: all outputs of its graph, side by side. */
export interface Scores {
  /** Row-major, `width` a row. */
  values: Float32Array;
  width: number;
}
