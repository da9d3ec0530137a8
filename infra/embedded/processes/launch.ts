import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { PerdureError } from '../../../domain/errors.js';
import { withMark } from './component-mark.js';
import type { ComponentSpec, ProcessView } from './component.js';
import { openLog } from './logs.js';
import { sleep } from './sleep.js';
import { endProcess, identify, isAlive, signalProcess, type ProcessIdentity } from './end-process.js';
import type { RunFile } from './run-file-schema.js';
import { removeRunFile, writeRunFile } from './run-files.js';

export interface LaunchedProcess {
  pid: number;
  alive(): boolean;
  exited: Promise<void>;
  /** For messages: "exit code 1" or "signal SIGKILL". */
  exitReason(): string;
  view(): ProcessView;
  /** Writes down which process it is, unless the file says so already. Never throws: a full disk ends nobody. */
  remember(): void;
  /** Lets it run on with nobody who watches it. */
  release(): void;
  /** Stops it gracefully, then by force; also ends what is left of its process group. Repeatable. */
  end(): Promise<void>;
}

/**
 * Starts a component's process in a process group of its own, so that Ctrl-C in the terminal reaches only the
 * supervisor, with its output appended to its log. Node processes get an IPC channel over which they say that they are
 * ready and alive. It outlives its supervisor: whoever comes next finds it by its file or by its mark.
 */
export function launch(home: string, spec: ComponentSpec): LaunchedProcess {
  const command = spec.command();
  const { name, stopSignal, graceMs, adoptAs } = spec;
  const mark = { home, name, stopSignal, graceMs, ...(adoptAs === undefined ? {} : { adoptAs }) };
  const log = openLog(home, spec.name);
  const output = log ?? 'ignore';
  const withChannel = spec.kind === 'node';
  const child = spawn(command.file, [...command.args], {
    cwd: command.cwd,
    env: withMark(command.env, mark),
    detached: true,
    stdio: withChannel ? ['ignore', output, output, 'ipc'] : ['ignore', output, output],
  });
  if (log !== undefined) closeSync(log);
  let reason = 'no exit code';
  let announced = false;
  let lastWordAt = Date.now();
  const exited = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      reason = error.message;
      resolve();
    });
    child.once('exit', (code, signal) => {
      reason = signal ? `signal ${signal}` : `exit code ${code}`;
      resolve();
    });
  });
  const pid = child.pid;
  const identity = pid === undefined ? undefined : identify(pid);
  if (pid === undefined)
    throw new PerdureError('environment/broken', `${command.file} cannot be started. Run \`npx perdure doctor\`.`);

  let pinger: NodeJS.Timeout | undefined;
  if (withChannel) {
    child.on('error', () => undefined);
    child.on('message', (message) => {
      lastWordAt = Date.now();
      if (typeof message === 'object' && message !== null && 'perdure' in message && message.perdure === 'ready')
        announced = true;
    });
    pinger = setInterval(() => {
      if (child.connected) child.send({ perdure: 'ping' }, () => undefined);
    }, 2_000);
    pinger.unref();
  }
  const held = hold(home, { name, process: identity ?? { pid, startedAtToken: '' }, stopSignal, graceMs, adoptAs });
  held.remember();
  return {
    ...held,
    alive: () => identity !== undefined && child.exitCode === null && child.signalCode === null && isAlive(identity),
    exited,
    exitReason: () => reason,
    view: () => ({ announced, silentMs: withChannel ? Date.now() - lastWordAt : 0 }),
    release() {
      clearInterval(pinger);
      if (child.connected) child.disconnect();
      child.unref();
    },
    async end() {
      clearInterval(pinger);
      await held.end();
      await exited;
      removeRunFile(home, spec.name);
    },
  };
}

/** Takes over a process that an earlier supervisor has started and that is no child of this one. */
export function adopt(home: string, entry: RunFile): LaunchedProcess {
  const held = hold(home, entry);
  const watch = new AbortController();
  held.remember();
  return {
    ...held,
    exited: untilGone(entry.process, watch.signal),
    exitReason: () => 'an unknown reason: an earlier supervisor started it',
    view: () => ({ announced: true, silentMs: 0 }),
    release: () => watch.abort(),
    async end() {
      await held.end();
      watch.abort();
      removeRunFile(home, entry.name);
    },
  };
}

function hold(home: string, entry: RunFile): Pick<LaunchedProcess, 'pid' | 'alive' | 'remember' | 'end'> {
  const { process: identity, stopSignal, graceMs } = entry;
  let ended = false;
  return {
    pid: identity.pid,
    alive: () => isAlive(identity),
    remember() {
      try {
        writeRunFile(home, entry);
      } catch {
        // Tried again; meanwhile the process is found by its mark.
      }
    },
    async end() {
      if (ended) return; // Once only: later the number may belong to another group.
      ended = true;
      if (isAlive(identity)) await endProcess(identity, stopSignal, graceMs);
      signalProcess(identity, 'SIGKILL', 'group');
    },
  };
}

async function untilGone(identity: ProcessIdentity, signal: AbortSignal): Promise<void> {
  while (!signal.aborted && isAlive(identity)) await sleep(200, signal);
}
