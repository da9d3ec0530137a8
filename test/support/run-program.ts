import { spawn } from 'node:child_process';
import path from 'node:path';
import { pollUntil } from './poll-until.js';
import type { Place } from './place.js';

export interface RunningProgram {
  pid: number;
  /** All that it has written so far, both streams. */
  output(): string;
  /** Waits until the program has written this. @throws when it ends first or the time is over, with what it wrote. */
  says(what: RegExp, timeoutMs: number): Promise<void>;
  /** Signals the whole process group, as a terminal does on Ctrl-C. */
  signal(name: NodeJS.Signals): void;
  ended: Promise<ProgramEnd>;
}

export interface ProgramEnd {
  /** Null when a signal ended it. */
  code: number | null;
  stdout: string;
  stderr: string;
  tookMs: number;
}

/** Starts a program of the checkout as a person would in a shell, without a terminal. */
export function startProgram(place: Place, file: string, ...args: readonly string[]): RunningProgram {
  const began = Date.now();
  const child = spawn(process.execPath, [path.join(place.config.projectRoot, file), ...args], {
    cwd: place.config.projectRoot,
    env: place.env,
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  });
  const written = { stdout: '', stderr: '', both: '' };
  for (const stream of ['stdout', 'stderr'] as const) {
    child[stream].setEncoding('utf8').on('data', (text: string) => {
      written[stream] += text;
      written.both += text;
    });
  }
  let over = false;
  const ended = new Promise<ProgramEnd>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      over = true;
      resolve({ code, stdout: written.stdout, stderr: written.stderr, tookMs: Date.now() - began });
    });
  });
  return {
    pid: child.pid ?? 0,
    output: () => written.both,
    async says(what, timeoutMs) {
      await pollUntil(`${file} says ${what}`, timeoutMs, () => what.test(written.both) || over || undefined);
      if (!what.test(written.both))
        throw new Error(`${file} ended before it said ${what}:\n${written.both.slice(-4000)}`);
    },
    signal: (name) => void (child.pid !== undefined && process.kill(-child.pid, name)),
    ended,
  };
}

/** `npm start`, without npm between the signal and the program. */
export const npmStart = (place: Place, ...args: readonly string[]): RunningProgram =>
  startProgram(place, 'infra/bootstrap/start.mjs', ...args);

/** One `perdure …` command to its end. */
export const perdure = (place: Place, ...args: readonly string[]): Promise<ProgramEnd> =>
  startProgram(place, 'cli/perdure.mjs', ...args).ended;
