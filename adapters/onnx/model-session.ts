import { createHash } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { InputColumn } from '../../domain/data/feature/input-columns.js';
import { PerdureError } from '../../domain/errors.js';
import type { GraphOutput } from '../../domain/tasks/task.js';
import { checkModel, defaultModelLimits, type ModelInfo } from './model-check.js';
import { scoresOf } from './scores-of.js';

export type { InputColumn };

/** A model in the runtime. What is evaluated is what is served: both ask it here. */
export interface ModelSession {
  readonly inputNames: readonly string[];
  readonly outputNames: readonly string[];
  /** Of a row of scores. */
  readonly width: number;
  /**
   * Row-major, `width` a row: the outputs side by side. Rounding may carry a chance a little out of [0, 1].
   * @throws Error that says what was answered instead.
   */
  scores(feeds: Record<string, InputColumn>, rows: number): Promise<Float32Array>;
  release(): Promise<void>;
}

export interface ModelFile {
  path: string;
  sha256: string;
  bytes: Uint8Array;
  info: ModelInfo;
}

/**
 * Reads a model file and checks it before any runtime does.
 * @param name what it is called in messages
 * @throws PerdureError `artifact/refused`, `artifact/digest-mismatch`.
 */
export async function readModelFile(file: { path: string; sha256: string }, name = file.path): Promise<ModelFile> {
  const bytes = await readBounded(file.path, name);
  const found = createHash('sha256').update(bytes).digest('hex');
  if (found !== file.sha256) {
    throw new PerdureError(
      'artifact/digest-mismatch',
      `The artifact of ${name} has the digest ${found} instead of ${file.sha256}. Fetch it again.`,
    );
  }
  return { ...file, bytes, info: checkModel(bytes) };
}

async function readBounded(path: string, name: string): Promise<Uint8Array> {
  const cannotBeRead = (error: unknown): never => {
    throw new PerdureError('artifact/refused', `The model ${path} cannot be read: ${String(error)}`);
  };
  const { size } = await stat(path).catch(cannotBeRead);
  const { bytesMax } = defaultModelLimits;
  if (size > bytesMax)
    throw new PerdureError(
      'artifact/refused',
      `The artifact of ${name} has ${size} bytes, more than the ${bytesMax} allowed.`,
    );
  return readFile(path).catch(cannotBeRead);
}

/**
 * Opens a model that `readModelFile` has accepted, on one thread.
 * @param outputs those that it is asked for, in the order of the scores of a row; its own label is not: the version's
 * threshold draws the line
 * @throws PerdureError `artifact/refused`.
 */
export async function openModelSession(
  { bytes }: Pick<ModelFile, 'bytes'>,
  outputs: readonly GraphOutput[],
): Promise<ModelSession> {
  const session = await InferenceSession.create(bytes, {
    executionProviders: ['cpu'],
    executionMode: 'sequential',
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
    logSeverityLevel: 3,
  }).catch((error: unknown) => {
    throw new PerdureError('artifact/refused', `The runtime cannot load the model: ${String(error)}`);
  });
  const names = outputs.map(({ name }) => name);
  return {
    inputNames: session.inputNames,
    outputNames: session.outputNames,
    width: outputs.reduce((sum, { width }) => sum + width, 0),
    async scores(columns, rows) {
      const feeds: Record<string, Tensor> = {};
      for (const [name, column] of Object.entries(columns)) feeds[name] = tensorOf(column, rows);
      const answered = await session.run(feeds, names);
      return scoresOf(outputs, (name) => answered[name]?.data, rows);
    },
    release: () => session.release(),
  };
}

function tensorOf(column: InputColumn, rows: number): Tensor {
  const shape = [rows, column.length / rows];
  if (column instanceof Float32Array) return new Tensor('float32', column, shape);
  if (column instanceof BigInt64Array) return new Tensor('int64', column, shape);
  return column instanceof Uint8Array ? new Tensor('bool', column, shape) : new Tensor('string', column, shape);
}
