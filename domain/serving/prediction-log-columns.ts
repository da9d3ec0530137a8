/** The two logs of the gateways: what was answered, and what really happened. */
export type LogKind = 'predictions' | 'labels';

/**
 * What gave a request its version, where the split did not: it was asked for by number; the key or a header is a
 * tester's; the version that was chosen is out of service, does not take what the route takes, or could not answer.
 */
export const overrideCauses = [
  'version',
  'key',
  'header',
  'stand-in',
  'stand-in/contract',
  'stand-in/failure',
] as const;
export type OverrideCause = (typeof overrideCauses)[number];

/** What is logged of answers, by the task: `logged` and `predictedColumn` of `domain/tasks` say which. */
export const outputColumns = {
  probability: 'DOUBLE',
  label: 'BOOLEAN',
  /** The class, as text. */
  predicted: 'VARCHAR',
  probabilities: 'FLOAT[]',
  value: 'DOUBLE',
  quantiles: 'FLOAT[]',
  score: 'DOUBLE',
  embedding: 'FLOAT[]',
  /** Of a vector that is too long to be kept: its Euclidean norm, and the SHA-256 of its FP32 bytes, little-endian. */
  embedding_norm: 'DOUBLE',
  embedding_sha256: 'VARCHAR',
} as const;

/**
 * Columns of the logs as they lie in the object store, with their SQL types, beside those of the features
 * (`logged-features.ts`). `features` holds them in older objects: JSON text, missing ones null. `chosen_by` is an
 * `OverrideCause`, null for a row of the split or of a shadow. Objects from before a column was added lack it: readers
 * take it as null.
 */
export const logColumns: Record<LogKind, Record<string, string>> = {
  predictions: {
    prediction_id: 'VARCHAR',
    request_id: 'VARCHAR',
    row: 'INTEGER',
    at: 'TIMESTAMP',
    environment: 'VARCHAR',
    model: 'VARCHAR',
    version: 'INTEGER',
    epoch: 'INTEGER',
    role: 'VARCHAR',
    chosen_by: 'VARCHAR',
    key_hash: 'VARCHAR',
    features: 'VARCHAR',
    ...outputColumns,
    latency_ms: 'DOUBLE',
  },
  labels: {
    prediction_id: 'VARCHAR',
    model: 'VARCHAR',
    /** Yes or no; of other models null, and one of the next two is not. */
    label: 'BOOLEAN',
    /** The class, as text. */
    label_class: 'VARCHAR',
    label_number: 'DOUBLE',
    observed_at: 'TIMESTAMP',
    received_at: 'TIMESTAMP',
  },
};

/** Columns that an object may lack, of an earlier release or of other tasks, with their SQL types. */
export const sparseColumns: Record<LogKind, Record<string, string>> = {
  predictions: outputColumns,
  labels: { label_class: 'VARCHAR', label_number: 'DOUBLE' },
};

/**
 * When a segment of the log was begun, from its name or key; undefined for a name that is none. Nothing in it is older.
 */
export function segmentBeganAt(name: string): Date | undefined {
  const parts = /(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z-[0-9a-z]+-\d+(?:\.[a-z]+)*$/.exec(name);
  if (parts === null) return undefined;
  const [, year, month, day, hour, minute, second] = parts;
  return new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
}

/** Every UTC day from one time to another, both included, as the keys of the logs write it. */
export function daysBetween(from: Date, to: Date): string[] {
  const days: string[] = [];
  const day = new Date(from);
  day.setUTCHours(0, 0, 0, 0);
  for (; day <= to; day.setUTCDate(day.getUTCDate() + 1)) days.push(day.toISOString().slice(0, 10));
  return days;
}
