import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { getPriority, tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runTrainer, trainerFor, type RunTrainerOptions } from '../../../adapters/trainer/trainer.js';
import type { TrainerProgress } from '../../../domain/training/trainer.js';
import { eventually } from '../../support/poll-until.js';
import { processesWith } from './processes.js';
import { smallSpec, writeSmallParquet } from './small-parquet.js';

const projectRoot = path.resolve(import.meta.dirname, '../../..');
/** A training that would take minutes. */
const endless = { parameters: { num_iterations: 10_000, num_leaves: 255, min_data_in_leaf: 1 } };
let folder: string;
let files: { train: string; holdout: string };
let attempts = 0;

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'perdure-trainer-'));
  files = await writeSmallParquet(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const options = (changes: Partial<RunTrainerOptions> = {}): RunTrainerOptions => ({
  ...trainerFor('lightgbm', projectRoot),
  spec: smallSpec(files, endless),
  outDir: path.join(folder, `out-${(attempts += 1)}`),
  timeoutMs: 300_000,
  memoryMb: 2048,
  signal: new AbortController().signal,
  onProgress: () => undefined,
  ...changes,
});

const failure = (run: Promise<unknown>) =>
  run.then(
    () => expect.fail('the training succeeded'),
    (error: unknown) => error,
  );

/** A trainer of somebody else: a package with the body given. */
function programOf(body: string): string {
  const programDir = mkdtempSync(path.join(folder, 'program-'));
  mkdirSync(path.join(programDir, 'perdure_trainer'));
  writeFileSync(path.join(programDir, 'perdure_trainer/__main__.py'), `import json, os, signal, sys, time\n${body}\n`);
  return programDir;
}

describe('cancellation', () => {
  it('ends a training within two seconds and passes the reason on', { timeout: 60_000 }, async () => {
    const controller = new AbortController();
    let cancelledAt = Infinity;
    const onProgress = ({ phase, fraction }: TrainerProgress) => {
      if (phase !== 'fit' || fraction === 0 || controller.signal.aborted) return;
      cancelledAt = Date.now();
      controller.abort(new Error('no longer wanted'));
    };
    const run = options({ signal: controller.signal, onProgress });
    expect(await failure(runTrainer(run))).toMatchObject({ message: 'no longer wanted' });
    expect(Date.now() - cancelledAt).toBeLessThan(2000);
    expect(processesWith(run.outDir)).toEqual([]);
  });

  it('ends a trainer that ignores SIGTERM, and its children', { timeout: 60_000 }, async () => {
    const controller = new AbortController();
    const run = options({
      signal: controller.signal,
      onProgress: () => {
        expect(processesWith(run.outDir)).toHaveLength(2);
        controller.abort(new Error('no longer wanted'));
      },
      programDir: programOf(`signal.signal(signal.SIGTERM, signal.SIG_IGN)
if os.fork() == 0:
    time.sleep(300)
print(json.dumps({"kind": "progress", "phase": "fit", "fraction": 0, "message": "stubborn"}), flush=True)
time.sleep(300)`),
    });
    expect(await failure(runTrainer(run))).toMatchObject({ message: 'no longer wanted' });
    expect(processesWith(run.outDir)).toEqual([]);
  });

  it('starts nothing when it came first', async () => {
    const run = options({ signal: AbortSignal.abort(new Error('too late')) });
    expect(await failure(runTrainer(run))).toMatchObject({ message: 'too late' });
  });
});

it('lets gateways on the same machine come first', { timeout: 60_000 }, async () => {
  const controller = new AbortController();
  let niceness: number | undefined;
  const run = options({
    signal: controller.signal,
    onProgress: ({ message }) => {
      niceness = Number(message);
      controller.abort(new Error('seen'));
    },
    programDir: programOf(`progress = {"kind": "progress", "phase": "fit", "fraction": 0, "message": str(os.nice(0))}
print(json.dumps(progress), flush=True)
time.sleep(300)`),
  });
  await failure(runTrainer(run));
  expect(niceness).toBeGreaterThanOrEqual(getPriority() + 5);
});

describe('limits', () => {
  it('ends a training that takes too long', { timeout: 60_000 }, async () => {
    const run = options({ timeoutMs: 1500 });
    expect(await failure(runTrainer(run))).toMatchObject({
      code: 'training/timed-out',
      message: expect.stringContaining('1.5 s'),
    });
    expect(processesWith(run.outDir)).toEqual([]);
  });

  it.runIf(process.platform === 'linux')(
    'ends a training whose processes together use too much memory',
    { timeout: 60_000 },
    async () => {
      const run = options({
        memoryMb: 300,
        programDir: programOf(`os.fork()
kept = bytearray(os.urandom(1)) * (200 << 20)
time.sleep(300)`),
      });
      expect(await failure(runTrainer(run))).toMatchObject({
        code: 'training/out-of-memory',
        details: { memoryMb: 300 },
      });
      expect(processesWith(run.outDir)).toEqual([]);
    },
  );

  it.runIf(process.platform === 'linux')(
    'lets an allocation beyond the limit fail inside the program, by name',
    { timeout: 60_000 },
    () => {
      const { python, programDir } = trainerFor('lightgbm', projectRoot);
      const program = `
import threading, numpy
from perdure_trainer.memory_limit import limit_memory
from perdure_trainer.errors import as_trainer_error
limit_memory(64)
try:
    numpy.ones(2 << 30, dtype=numpy.uint8)
except BaseException as error:
    print(as_trainer_error(error).code)`;
      expect(
        execFileSync(python, ['-c', program], {
          env: { PYTHONPATH: programDir, PYTHONDONTWRITEBYTECODE: '1' },
          encoding: 'utf8',
        }).trim(),
      ).toBe('out-of-memory');
    },
  );
});

describe('a trainer that breaks the contract', () => {
  it('is reported with its last words when it ends without done', { timeout: 60_000 }, async () => {
    const programDir = programOf('sys.exit("the disk is full")');
    const error = await failure(runTrainer(options({ programDir })));
    expect(error).toMatchObject({ code: 'training/failed', message: expect.stringContaining('the disk is full') });
  });

  it('is reported when it says done and wrote nothing', { timeout: 60_000 }, async () => {
    const programDir = programOf(`print('{"kind": "done"}')`);
    expect(await failure(runTrainer(options({ programDir })))).toMatchObject({
      code: 'training/failed',
      message: expect.stringContaining('result.json'),
    });
  });

  it('is reported when it was killed', { timeout: 60_000 }, async () => {
    const programDir = programOf('os.kill(os.getpid(), signal.SIGKILL)');
    expect(await failure(runTrainer(options({ programDir })))).toMatchObject({
      code: 'training/failed',
      message: expect.stringContaining('SIGKILL'),
    });
  });

  it('is ended when it prints without end what is no message', { timeout: 60_000 }, async () => {
    const run = options({ programDir: programOf('while True: print("hello")') });
    expect(await failure(runTrainer(run))).toMatchObject({
      code: 'training/failed',
      message: expect.stringContaining('hello'),
    });
    expect(processesWith(run.outDir)).toEqual([]);
  });

  it('sees no variable of this process', { timeout: 60_000 }, async () => {
    process.env['PERDURE_TEST_SECRET'] = 'do-not-pass-on';
    const programDir = programOf('sys.exit(",".join(sorted(os.environ)))');
    const error = await failure(runTrainer(options({ programDir })));
    delete process.env['PERDURE_TEST_SECRET'];
    expect(error).toMatchObject({ message: expect.stringContaining('PYTHONPATH') });
    expect(error).toMatchObject({ message: expect.not.stringContaining('PERDURE_TEST_SECRET') });
  });

  it('is told apart from an environment that is not there', async () => {
    const run = options({ python: path.join(folder, 'no-python') });
    expect(await failure(runTrainer(run))).toMatchObject({
      code: 'environment/broken',
      message: expect.stringContaining('no-python'),
    });
  });
});

it('ends when its parent is killed with -9', { timeout: 60_000 }, async () => {
  const outDir = path.join(folder, 'orphaned');
  const specPath = path.join(folder, 'orphaned.json');
  writeFileSync(specPath, JSON.stringify(smallSpec(files, endless)));
  const script = path.join(import.meta.dirname, 'orphan-parent.ts');
  const parent = spawn(process.execPath, ['--import', 'tsx', script, projectRoot, specPath, outDir], {
    cwd: projectRoot,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  parent.stdout.on('data', (text: Buffer) => (said += text.toString()));
  try {
    await eventually('the trainer fits', () => said.includes('fit'), 30_000);
    const alive = processesWith('perdure_trainer').filter((pid) => processesWith(outDir).includes(pid));
    expect(alive.length).toBeGreaterThan(0);
  } finally {
    parent.kill('SIGKILL');
  }
  await eventually('the trainer is gone', () => processesWith(outDir).length === 0, 5000);
  expect(existsSync(path.join(outDir, 'result.json'))).toBe(false);
});

it('says something at least once a second while it trains', { timeout: 60_000 }, async () => {
  const times: number[] = [];
  const run = options({ timeoutMs: 6000, onProgress: () => times.push(Date.now()) });
  expect(await failure(runTrainer(run))).toMatchObject({ code: 'training/timed-out' });
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  expect(gaps.length).toBeGreaterThan(5);
  // Twice the promise: another program may hold the processor.
  expect(Math.max(...gaps)).toBeLessThan(2000);
});
