import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { Contract } from '../../domain/data/contract.js';
import { modelInputs } from '../../domain/data/feature/model-inputs.js';
import { PerdureError, messageOf } from '../../domain/errors.js';
import type { ImportMap } from '../../domain/imported-model.js';
import { outputSignature, taskOf } from '../../domain/tasks/task-of.js';
import type { ClassName, TaskName } from '../../domain/tasks/task.js';
import { programEnvironment } from '../trainer/trainer.js';
import { runTrainerProcess } from '../trainer/trainer-process.js';
import { trainersPython } from '../trainer/trainer-program.js';
import { checkModel, type ModelInfo } from './model-check.js';
import { checkTensorInterface } from './tensor-interface-check.js';

interface BroughtModel {
  /** A local copy of the file. */
  file: string;
  /** What people call it: `the model`, `the native model`. */
  called: string;
  contract: Contract;
  task: TaskName | undefined;
  classes: readonly ClassName[];
  map: ImportMap | undefined;
  projectRoot: string;
  workDir: string;
  signal: AbortSignal;
}

export interface AdoptedModel {
  file: string;
  sha256: string;
  info: ModelInfo;
}

/** A graph of the greatest size takes less. */
const timeoutMs = 300_000;
const memoryMb = 4096;

/**
 * A model that was made elsewhere, with the inputs and outputs of its contract, checked as any other is. One that has
 * them stays byte for byte.
 * @throws PerdureError `artifact/refused` that names what does not fit, and how to say which is which.
 */
export async function adoptModel(brought: BroughtModel): Promise<AdoptedModel> {
  const { contract, called, workDir, classes, task: name } = brought;
  await mkdir(workDir, { recursive: true });
  const task = taskOf({ task: name });
  const signature = outputSignature(contract, classes);
  const specFile = path.join(workDir, 'spec.json');
  await writeFile(
    specFile,
    JSON.stringify({
      model: brought.file,
      features: Object.entries(contract.features).flatMap(([feature, of]) => modelInputs(feature, of)),
      outputs: task
        .graphOutputs(signature)
        .map((output) => ({ ...output, probability: output.name === 'probabilities' })),
      label: task.outputs(signature).some((output) => output.name === 'label'),
      classes: signature.classes,
      map: brought.map ?? null,
    }),
  );
  await rewrite(brought, specFile);
  const file = path.join(workDir, 'model.onnx');
  const bytes = await readFile(file);
  const info = checkModel(bytes);
  checkTensorInterface(info, { contract, task: name, classes }, `${called} was not accepted`);
  return { file, info, sha256: createHash('sha256').update(bytes).digest('hex') };
}

/** In a process of its own, within limits: the file is somebody else's. */
async function rewrite({ projectRoot, workDir, called, signal }: BroughtModel, specFile: string): Promise<void> {
  const end = await runTrainerProcess({
    command: trainersPython(projectRoot),
    args: ['-m', 'perdure_import', specFile, workDir],
    cwd: workDir,
    environment: programEnvironment(path.join(projectRoot, 'trainers', 'onnx'), workDir, 1),
    timeoutMs,
    memoryMb,
    signal,
    onProgress: () => undefined,
  }).catch((error: unknown) => {
    throw new PerdureError(
      'environment/broken',
      `What reads ONNX files cannot be started: ${messageOf(error)}. Install it with \`npm start\`.`,
    );
  });
  if (end.kind === 'cancelled') throw signal.reason;
  if (end.kind === 'exited' && end.last?.kind === 'done' && end.exitCode === 0) return;
  const why =
    end.kind === 'exited' && end.last?.kind === 'error'
      ? end.last.message
      : `what reads it ended (${end.kind}) within its limits of ${memoryMb} MB and ${timeoutMs / 1000} s`;
  throw new PerdureError('artifact/refused', `${called} was not accepted: ${why}.`.replace(/\.\.$/, '.'));
}
