/** What one model's process may take, hold and cost, unless a gateway's limits say otherwise. */
export const defaultEngineLimits = {
  /**
   * Rows in one call of the model. Micro-batches: a call of a tree model costs as much as ten rows or more, so several
   * requests share it; 256 rows take about 2 ms, which nobody notices. A single larger request goes whole
   * (`request-queue.ts`).
   */
  batchRowsMax: 256,
  /** Requests and rows that may wait for one model; what comes then is refused. */
  requestsMax: 2_000,
  rowsMax: 40_000,
  /** A request that is not answered by then gets none. */
  deadlineMs: 10_000,
  /** A model that takes longer over one call hangs: its process is replaced. */
  hangMs: 5_000,
  loadTimeoutMs: 60_000,
  /** So many ends of a model's process within the window take it out of service, for this long at first. */
  deathsMax: 5,
  deathWindowMs: 60_000,
  coolDownMs: 60_000,
  /** Of one process's JavaScript heap, in MiB. */
  memoryMaxMb: 512,
  /** Of one process altogether, in MiB. */
  residentMaxMb: 2_048,
  /** A model that fills memory as fast as it can gets some hundred MiB more than its limit between two looks. */
  memoryLookMs: 100,
};
