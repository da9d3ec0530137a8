import { spawn, type ChildProcess } from 'node:child_process';
import { createInterface } from 'node:readline';
import { trainerMessageSchema, type TrainerMessage, type TrainerProgress } from '../../domain/training/trainer.js';
import { lowerPriority } from '../lower-priority.js';
import { groupResidentMb } from '../resident-memory.js';

export type TrainerEnd =
  | {
      kind: 'exited';
      exitCode: number | null;
      exitSignal: NodeJS.Signals | null;
      last: TrainerMessage | undefined;
      badLines: string[];
      stderrTail: string;
    }
  | { kind: 'cancelled' }
  | { kind: 'timed-out' }
  | { kind: 'out-of-memory'; residentMb: number }
  | { kind: 'babbling'; badLines: string[] }
  | { kind: 'listener-failed'; error: unknown };

interface TrainerProcessOptions {
  command: string;
  args: string[];
  cwd: string;
  environment: Record<string, string>;
  timeoutMs: number;
  memoryMb: number;
  signal: AbortSignal;
  onProgress: (progress: TrainerProgress) => void;
}

/** From SIGTERM to SIGKILL. A trainer has nothing to save, so it gets little. */
const graceMs = 1000;
const memoryLookMs = 300;
const badLinesKept = 10;
const badLinesMax = 200;
const stderrKeptChars = 8000;
/** A line longer than this is no message, and is cut before it is kept. */
const lineShownChars = 300;

type StopReason = Exclude<TrainerEnd, { kind: 'exited' }>;

/**
 * Runs one trainer as the leader of its own process group and settles when the whole group is gone: nothing is left
 * behind, however it ends. The trainer's stdin stays open as long as this process lives, which is how the trainer
 * learns that it does not any more.
 * @throws Error when the command cannot be started at all.
 */
export async function runTrainerProcess(options: TrainerProcessOptions): Promise<TrainerEnd> {
  if (options.signal.aborted) return { kind: 'cancelled' };
  const child = spawn(options.command, options.args, {
    cwd: options.cwd,
    env: options.environment,
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  lowerPriority(child);
  // A trainer that ends first breaks the pipe; its exit says all there is to say.
  child.stdin.on('error', () => undefined);

  let reason: StopReason | undefined;
  let killTimer: NodeJS.Timeout | undefined;
  const stop = (why: StopReason) => {
    if (reason) return;
    reason = why;
    signalGroup(child, 'SIGTERM');
    killTimer = setTimeout(() => signalGroup(child, 'SIGKILL'), graceMs);
  };

  const badLines: string[] = [];
  let badLinesSeen = 0;
  let last: TrainerMessage | undefined;
  let stderrTail = '';
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (text: string) => (stderrTail = (stderrTail + text).slice(-stderrKeptChars)));
  createInterface({ input: child.stdout }).on('line', (line) => {
    const message = parseMessage(line);
    if (message === undefined) {
      if (badLines.length < badLinesKept) badLines.push(line.slice(0, lineShownChars));
      badLinesSeen += 1;
      if (badLinesSeen > badLinesMax) stop({ kind: 'babbling', badLines });
      return;
    }
    last = message;
    if (message.kind !== 'progress' || reason) return;
    try {
      options.onProgress(message);
    } catch (error) {
      stop({ kind: 'listener-failed', error });
    }
  });

  const onAbort = () => stop({ kind: 'cancelled' });
  options.signal.addEventListener('abort', onAbort, { once: true });
  const timeoutTimer = setTimeout(() => stop({ kind: 'timed-out' }), options.timeoutMs);
  const memoryTimer = setInterval(() => {
    if (child.pid === undefined || reason) return;
    const residentMb = groupResidentMb(child.pid);
    if (residentMb !== undefined && residentMb > options.memoryMb) stop({ kind: 'out-of-memory', residentMb });
  }, memoryLookMs);

  try {
    const { exitCode, exitSignal } = await ended(child);
    return reason ?? { kind: 'exited', exitCode, exitSignal, last, badLines, stderrTail };
  } finally {
    clearTimeout(timeoutTimer);
    clearTimeout(killTimer);
    clearInterval(memoryTimer);
    options.signal.removeEventListener('abort', onAbort);
  }
}

/** Waits for the leader's exit, ends what it left in its group, then waits until the pipes are drained. */
function ended(child: ChildProcess): Promise<{ exitCode: number | null; exitSignal: NodeJS.Signals | null }> {
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      if (child.pid === undefined) reject(error);
    });
    child.once('exit', () => signalGroup(child, 'SIGKILL'));
    child.once('close', (exitCode, exitSignal) => resolve({ exitCode, exitSignal }));
  });
}

function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return;
  try {
    process.kill(-child.pid, signal);
  } catch {
    // The group is gone already, which is what was wanted.
  }
}

function parseMessage(line: string): TrainerMessage | undefined {
  try {
    return trainerMessageSchema.safeParse(JSON.parse(line)).data;
  } catch {
    return undefined;
  }
}
