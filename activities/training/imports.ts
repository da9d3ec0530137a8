import path from 'node:path';
import { adoptModel, type AdoptedModel } from '../../adapters/onnx/adopt-model.js';
import { makeWorkFolder, removeWorkFolder } from '../../adapters/work-folder.js';
import type { ModelInfo } from '../../adapters/onnx/model-check.js';
import type { DeclaredLineage, ImportMap } from '../../domain/imported-model.js';
import { objectKeys } from '../../domain/object-keys.js';
import { PerdureError } from '../../domain/errors.js';
import type { OutputSignature, TaskName } from '../../domain/tasks/task.js';
import { declaredClasses, outputSignature, taskOf } from '../../domain/tasks/task-of.js';
import type { TrainerReport } from '../../domain/training/trainer.js';
import { definitionByDigest } from '../../db/model/definition-queries.js';
import { versionOf } from '../../db/model/version-queries.js';
import { finishRunStep, mustHaveStep, startRunStep, updateRun } from '../../db/training/run-queries.js';
import type { ActivityDependencies } from '../dependencies.js';
import { withHeartbeat } from '../heartbeat.js';
import { writeOrder } from '../write-order.js';
import { trainerPrograms } from './trainer-programs.js';
import type { Trained } from './training.js';

export interface AdoptRequest {
  runId: string;
  definitionSha256: string;
  sha256: string;
  native?: { sha256: string } | { version: number } | undefined;
  map?: ImportMap | undefined;
  declared: DeclaredLineage;
}

/** @throws PerdureError `artifact/refused`: a file says how likely each class is, and not what the classes are called. */
function mustNameClasses(signature: OutputSignature, task: TaskName | undefined): void {
  const unknown = taskOf({ task })
    .graphOutputs(signature)
    .some(({ width }) => width === 0);
  if (unknown)
    throw new PerdureError(
      'artifact/refused',
      'Nobody says what the classes are called: list them in contract.label.classes, or send a map with --map that ' +
        'holds {"classes": […]}, in the order of the model’s probabilities.',
    );
}

/** Models that were made elsewhere, in place of training. */
export function createImportActivities(deps: ActivityDependencies) {
  const { db, store, cache, config } = deps;
  return {
    /** Gives a model the inputs and outputs of its contract, and leaves in the run what a trainer would have left. */
    async adoptModel(asked: AdoptRequest): Promise<Trained> {
      return withHeartbeat(async (signal, report) => {
        const { runId, sha256 } = asked;
        const claim = await startRunStep(db, { runId, step: 'train', writeOrder: writeOrder() });
        const { name, contract, task, training } = await definitionByDigest(db, asked.definitionSha256);
        const classes = declaredClasses(contract.label) ?? asked.map?.classes ?? [];
        mustNameClasses(outputSignature(contract, classes), task);
        const workDir = await makeWorkFolder(config.home, 'import');
        const adopt = async (called: string, key: string, digest: string): Promise<AdoptedModel> => {
          report(`reading ${called}`);
          return adoptModel({
            ...{ called, contract, task, classes, map: asked.map, signal, projectRoot: config.projectRoot },
            file: await cache.fetch(key, digest),
            workDir: path.join(workDir, digest),
          });
        };
        try {
          const model = await adopt('the model', objectKeys.artifact(sha256), sha256);
          const other = await nativeOf(name, asked);
          const native = other && (await adopt('the native model', other.key, other.sha256));
          await store.putImmutable(objectKeys.artifact(model.sha256), { file: model.file });
          await mustHaveStep(db, claim);
          // Without one it is compared with itself, which says no more than that it answers the same twice.
          await store.put(objectKeys.runFile(runId, 'native.onnx'), { file: (native ?? model).file });
          const result = resultOf(model.info, asked.declared, classes);
          await store.put(objectKeys.runFile(runId, 'result.json'), JSON.stringify(result), {
            contentType: 'application/json',
          });
          await updateRun(db, claim, { artifactSha256: model.sha256 });
          const kept = model.sha256 === sha256 ? 'as it is' : 'with the inputs and outputs of the contract';
          const summary = `imported ${sha256.slice(0, 12)} ${kept}: artifact ${model.sha256.slice(0, 12)}`;
          await finishRunStep(db, claim, summary);
          return {
            artifactSha256: model.sha256,
            environmentSha256: await trainerPrograms(deps).environmentSha256({ ...training, program: undefined }),
            summary,
            imported: {
              fileSha256: sha256,
              ...(native && { nativeSha256: native.sha256 }),
              declared: asked.declared,
            },
          };
        } finally {
          await removeWorkFolder(workDir);
        }
      });
    },
  };

  async function nativeOf(
    model: string,
    { native }: AdoptRequest,
  ): Promise<{ key: string; sha256: string } | undefined> {
    if (native === undefined) return undefined;
    if ('sha256' in native) return { key: objectKeys.artifact(native.sha256), sha256: native.sha256 };
    const { artifactKey, artifactSha256 } = await versionOf(db, model, native.version);
    return { key: artifactKey, sha256: artifactSha256 };
  }
}

/** What a trainer says of its work; nothing was trained here. */
function resultOf(info: ModelInfo, declared: DeclaredLineage, classes: readonly (string | number)[]): TrainerReport {
  const described = ({ name, elementType, shape }: ModelInfo['inputs'][number]) => ({
    name,
    type: elementType.toUpperCase(),
    shape: shape.map((size) => (typeof size === 'number' ? size : -1)),
  });
  return {
    specVersion: 2,
    algorithm: 'imported',
    parameters: {},
    rowsTrained: 0,
    rowsHeldOut: 0,
    trainMetrics: {},
    featureImportances: [],
    ...(classes.length > 0 && { classes: [...classes] }),
    onnx: {
      opset: info.opsets['ai.onnx'] ?? 0,
      mlOpset: info.opsets['ai.onnx.ml'] ?? 0,
      ir: info.irVersion,
      inputs: info.inputs.map(described),
      outputs: info.outputs.map(described),
    },
    parityOnSample: 0,
    libraries: declared.libraries ?? {},
    durationsMs: {},
  };
}

export type ImportActivities = ReturnType<typeof createImportActivities>;
