import { createHash } from 'node:crypto';
import { mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PerdureError, messageOf } from '../../domain/errors.js';
import {
  trainerResultSchema,
  trainerSpecSchema,
  type TrainerProgress,
  type TrainerReport,
  type TrainerSpec,
} from '../../domain/training/trainer.js';
import { trainerFailure } from './trainer-failure.js';
import { runTrainerProcess, type TrainerEnd } from './trainer-process.js';

export { ownEnvironmentDigest, ownTrainer } from './own-program.js';
export { builtInTrainer } from './built-in-trainer.js';
export { trainerEnvironmentDigest, trainerFor, type TrainerProgram } from './trainer-program.js';

export interface RunTrainerOptions {
  spec: TrainerSpec;
  /** Made when absent; what an earlier attempt left there is replaced. */
  outDir: string;
  /** The interpreter of the trainer's own environment. */
  python: string;
  /** The folder that holds the package `perdure_trainer`. */
  programDir: string;
  timeoutMs: number;
  /** Resident memory of the trainer and all its children together. */
  memoryMb: number;
  signal: AbortSignal;
  onProgress: (progress: TrainerProgress) => void;
}

export interface TrainerResult {
  report: TrainerReport;
  modelPath: string;
  modelBytes: number;
  /** SHA-256 of `model.onnx`, 64 lower-case hex digits. */
  modelSha256: string;
  /** The native model's answers for the holdout, in file order; columns by task, see `trainers/README.md`. */
  nativePath: string;
  /** The same columns for each training row, by models that had not seen it; null where it was not asked for. */
  outOfFoldPath: string | null;
  durationMs: number;
}

/**
 * Trains one model in a process of its own and checks that everything promised is there.
 * @throws PerdureError `training/failed`, `training/timed-out`, `training/out-of-memory`, or what the trainer blamed:
 * `definition/invalid` for a parameter, `data/invalid` and `data/unreadable` for the files, `input/invalid` for the
 * specification.
 * @throws `signal.reason` when cancelled, after the trainer's process group has ended.
 */
export async function runTrainer(options: RunTrainerOptions): Promise<TrainerResult> {
  const startedAt = Date.now();
  const { outDir } = options;
  const spec = checkedSpec({ ...options.spec, memoryMb: options.memoryMb });
  await mkdir(outDir, { recursive: true });
  for (const name of ['model.onnx', 'result.json', 'holdout-native.parquet', 'out-of-fold.parquet'])
    await rm(path.join(outDir, name), { force: true });
  const specPath = path.join(outDir, 'spec.json');
  await writeFile(specPath, JSON.stringify(spec));
  const end = await start(options, spec, specPath);
  if (end.kind === 'cancelled') throw options.signal.reason;
  if (end.kind !== 'exited' || end.exitCode !== 0 || end.last?.kind !== 'done') throw trainerFailure(end, options);
  const modelPath = path.join(outDir, 'model.onnx');
  const nativePath = path.join(outDir, 'holdout-native.parquet');
  const report = await readReport(path.join(outDir, 'result.json'));
  const model = await readFile(modelPath).catch(() => missing('model.onnx'));
  await stat(nativePath).catch(() => missing('holdout-native.parquet'));
  const outOfFoldPath = spec.outOfFold ? path.join(outDir, 'out-of-fold.parquet') : null;
  if (outOfFoldPath !== null)
    await stat(outOfFoldPath).catch(() =>
      missing(
        'out-of-fold.parquet',
        ' It is asked for to choose the threshold: evaluation.threshold as a number spares it.',
      ),
    );
  return {
    report,
    modelPath,
    modelBytes: model.byteLength,
    modelSha256: createHash('sha256').update(model).digest('hex'),
    nativePath,
    outOfFoldPath,
    durationMs: Date.now() - startedAt,
  };
}

function checkedSpec(raw: TrainerSpec): TrainerSpec {
  const parsed = trainerSpecSchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.') || '(root)'}: ${issue.message}`);
  throw new PerdureError('input/invalid', `The training specification is not valid. ${problems.join('; ')}.`, {
    problems,
  });
}

async function start(options: RunTrainerOptions, spec: TrainerSpec, specPath: string): Promise<TrainerEnd> {
  try {
    return await runTrainerProcess({
      command: options.python,
      args: ['-m', 'perdure_trainer', specPath, options.outDir],
      cwd: options.outDir,
      environment: programEnvironment(options.programDir, options.outDir, spec.threads),
      timeoutMs: options.timeoutMs,
      memoryMb: options.memoryMb,
      signal: options.signal,
      onProgress: options.onProgress,
    });
  } catch (error) {
    const reason = messageOf(error);
    throw new PerdureError(
      'environment/broken',
      `The trainer cannot be started with ${options.python}: ${reason}. Install its environment with \`npm start\`.`,
    );
  }
}

/** Only what a trainer needs: none of this process's variables, which hold secrets. */
export function programEnvironment(programDir: string, outDir: string, threads: number): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '/usr/bin:/bin',
    PYTHONPATH: programDir,
    // Without these Python reads modules from the working folder and the user's own, and writes beside the program.
    PYTHONSAFEPATH: '1',
    PYTHONNOUSERSITE: '1',
    PYTHONDONTWRITEBYTECODE: '1',
    PYTHONHASHSEED: '0',
    HOME: outDir,
    TMPDIR: outDir,
    LANG: 'C.UTF-8',
    TZ: 'UTC',
    OMP_NUM_THREADS: String(threads),
    // Waiting threads that spin starve the working ones on busy cores: minutes instead of a second.
    OMP_WAIT_POLICY: 'PASSIVE',
    // Sums in linear algebra depend on how they are divided among threads.
    OPENBLAS_NUM_THREADS: '1',
    ARROW_DEFAULT_MEMORY_POOL: 'system',
  };
}

async function readReport(file: string): Promise<TrainerReport> {
  let raw: unknown;
  try {
    raw = JSON.parse(await readFile(file, 'utf8'));
  } catch {
    return missing('result.json');
  }
  const parsed = trainerResultSchema.safeParse(raw);
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new PerdureError(
    'training/failed',
    `The trainer's result.json breaks the contract at ${issue?.path.join('.') || '(root)'}: ` +
      `${issue?.message}. See trainers/README.md.`,
  );
}

function missing(name: string, remedy = ''): never {
  throw new PerdureError(
    'training/failed',
    `The trainer said done but wrote no readable ${name}. See trainers/README.md for what it must write.${remedy}`,
  );
}
