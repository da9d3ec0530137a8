import type { Environment } from './names.js';
import { partitionFolder, type Partition } from './partition.js';

/** Every key of the object store is built here. Immutable objects are addressed by their SHA-256. */
export const objectKeys = {
  lake: (model: string) => `lake/${model}/`,
  lakeTable: (model: string, table: string) => `lake/${model}/${table}/`,
  lakePartition: (model: string, table: string, partition: Partition) =>
    `lake/${model}/${table}/${partitionFolder(partition)}/`,
  snapshotFile: (model: string, sha256: string) => `snapshots/${model}/files/${sha256}.parquet`,
  snapshotManifest: (model: string, sha256: string) => `snapshots/${model}/manifests/${sha256}.json`,
  validationReport: (model: string, partition: Partition, sha256: string) =>
    `reports/${model}/validation/${partition}/${sha256}.json`,
  droppedRows: (model: string, partition: Partition, sha256: string) =>
    `reports/${model}/validation/${partition}/dropped-${sha256}.parquet`,
  runFiles: () => 'runs/',
  runFile: (runId: string, name: 'result.json' | 'holdout-native.parquet' | 'native.onnx') => `runs/${runId}/${name}`,
  trainerProgram: (sha256: string) => `programs/${sha256}.json`,
  artifact: (sha256: string) => `artifacts/${sha256}.onnx`,
  evaluation: (model: string, sha256: string) => `reports/${model}/evaluations/${sha256}.json`,
  evidence: (model: string, sha256: string) => `reports/${model}/evidence/${sha256}.json`,
  modelCard: (model: string, version: number, extension: 'json' | 'md') =>
    `cards/${model}/${version}/card.${extension}`,
  predictionLogs: () => 'predictions/',
  predictionsOf: (environment: Environment, model: string) => `predictions/${environment}/${model}/`,
  predictionsOfDay: (environment: Environment, model: string, day: string) =>
    `predictions/${environment}/${model}/day=${day}/`,
  predictions: (environment: Environment, model: string, day: string, segment: string) =>
    `predictions/${environment}/${model}/day=${day}/${segment}.parquet`,
  /** Many segments of a day as one object; `manifest` is the number of the first that may name it. */
  compactedPart: (environment: Environment, model: string, day: string, manifest: number, id: string) =>
    `predictions/${environment}/${model}/day=${day}/part-${manifest}-${id}.parquet`,
  /** Which parts a day has, and which segments they hold: the one with the highest number counts. */
  compactionManifest: (environment: Environment, model: string, day: string, number: number) =>
    `predictions/${environment}/${model}/day=${day}/compacted-${String(number).padStart(8, '0')}.json`,
  labelsOf: (model: string) => `labels/${model}/`,
  labelsOfDay: (model: string, day: string) => `labels/${model}/day=${day}/`,
  labels: (model: string, day: string, segment: string) => `labels/${model}/day=${day}/${segment}.parquet`,
  /** Labels by the day of their predictions; `unknown` where an id does not say it. */
  labelsOfPredictionDay: (model: string, day: string) => `labels/${model}/predicted=${day}/`,
  unreadableLabels: (model: string, name: string) => `labels/${model}/unreadable/${name}`,
  labelIndex: (model: string, day: string, sha256: string) => `labels/${model}/predicted=${day}/${sha256}.parquet`,
} as const;
