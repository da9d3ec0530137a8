import type { Database } from '../../../db/connect.js';
import { recordSnapshot } from '../../../db/data/partition-queries.js';
import { applyDefinition } from '../../../db/model/definition-queries.js';
import { openRun } from '../../../db/training/run-queries.js';
import type { NewVersion } from '../../../db/model/version-queries.js';
import type { Cause } from '../../../domain/cause.js';
import { digestOf } from '../../../domain/canonical-json.js';
import type { SnapshotManifest } from '../../../domain/data/snapshot/snapshot.js';
import { changedDefinition } from '../../../domain/model/changed-definition.js';
import { parseModelDefinition } from '../../../domain/model/parse-definition.js';
import flightDelay from '../../../models/flight-delay/model.js';

export const metrics = {
  rocAuc: 0.9,
  prAuc: 0.8,
  logLoss: 0.3,
  brier: 0.1,
  calibrationError: 0.01,
  accuracy: 0.9,
  precision: 0.8,
  recall: 0.7,
  f1: 0.75,
};

/** Makes a model known under a name of its own; its definition's digest. */
export async function knownModel(db: Database, name: string): Promise<string> {
  const definition = parseModelDefinition({ ...changedDefinition(flightDelay, { 'training.seed': 7 }), name });
  return (await applyDefinition(db, definition, 'test')).sha256;
}

/** Opens a run that has a snapshot, and gives what registering it takes. */
export async function openedRun(
  db: Database,
  model: string,
  runId: string,
  watermark: string | null,
  workflowId = `train/${model}/${runId}`,
  cause: Cause = { kind: 'data', id: runId },
): Promise<NewVersion> {
  const definitionSha256 = await knownModel(db, model);
  const manifest: SnapshotManifest = {
    manifestVersion: 1,
    model,
    shapeSha256: digestOf('shape'),
    columns: [],
    train: [],
    holdout: [],
    trainedOn: { from: '2013-01', to: '2013-02', rows: 26398 },
    testedOn: { from: '2013-02', to: '2013-03', rows: 23611 },
    watermark: watermark ?? '2013-02',
  };
  const snapshotSha256 = digestOf(manifest);
  await recordSnapshot(db, { sha256: snapshotSha256, model, manifestKey: `snapshots/${snapshotSha256}`, manifest });
  await openRun(db, {
    id: runId,
    workflowId,
    model,
    definitionSha256,
    cause,
    until: null,
  });
  const artifactSha256 = digestOf(runId);
  return {
    model,
    runId,
    definitionSha256,
    snapshotSha256,
    artifactSha256,
    artifactKey: `artifacts/${artifactSha256}`,
    signature: { inputs: [], outputs: [] },
    metrics,
    gates: [],
    evaluationKey: 'evaluation',
    threshold: 0.5,
    lineage: {
      runId,
      snapshotSha256,
      definitionSha256,
      codeRevision: null,
      environmentSha256: digestOf('environment'),
      libraries: {},
      seed: 7,
    },
    watermark,
  };
}
