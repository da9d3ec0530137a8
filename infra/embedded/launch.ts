import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { PerdureError } from '../../domain/errors.js';
import type { ComponentSpec, ProcessView } from './component.js';
import { openLog } from './logs.js';
import { endProcess, identify, isAlive, signalProcess, type ProcessIdentity } from './process-identity.js';
import { removeRunFile, writeRunFile } from './run-files.js';

export interface LaunchedProcess {
  pid: number;
  alive(): boolean;
  exited: Promise<void>;
  /** For messages: "exit code 1" or "signal SIGKILL". */
  exitReason(): string;
  view(): ProcessView;
  /** Stops it gracefully, then by force; also ends what is left of its process group. Repeatable. */
  end(): Promise<void>;
}

/**
 * Starts a component's process in a process group of its own, so that Ctrl-C in the terminal reaches only the supervisor,
 * with its output appended to its log. Node processes get an IPC channel over which they say that they are ready and alive.
 */
export function launch(home: string, spec: ComponentSpec): LaunchedProcess {
  const command = spec.command();
  const log = openLog(home, spec.name);
  const withChannel = spec.kind === 'node';
  const child = spawn(command.file, [...command.args], {
    cwd: command.cwd,
    env: command.env,
    detached: true,
    stdio: withChannel ? ['ignore', log, log, 'ipc'] : ['ignore', log, log],
  });
  closeSync(log);
  let reason = 'no exit code';
  let announced = false;
  let lastWordAt = Date.now();
  let ended = false;
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
  const identity: ProcessIdentity | undefined = pid === undefined ? undefined : identify(pid);
  if (pid === undefined) throw new PerdureError('environment/broken', `${command.file} cannot be started. Run \`npx perdure doctor\`.`);
  if (identity) writeRunFile(home, { name: spec.name, process: identity, stopSignal: spec.stopSignal, graceMs: spec.graceMs });

  let pinger: NodeJS.Timeout | undefined;
  if (withChannel) {
    child.on('message', (message) => {
      lastWordAt = Date.now();
      if (typeof message === 'object' && message !== null && 'perdure' in message && message.perdure === 'ready') announced = true;
    });
    pinger = setInterval(() => {
      if (child.connected) child.send({ perdure: 'ping' }, () => undefined);
    }, 2_000);
    pinger.unref();
  }
  const alive = () => identity !== undefined && child.exitCode === null && child.signalCode === null && isAlive(identity);
  return {
    pid,
    alive,
    exited,
    exitReason: () => reason,
    view: () => ({ announced, silentMs: withChannel ? Date.now() - lastWordAt : 0 }),
    async end() {
      clearInterval(pinger);
      if (identity && !ended) {
        ended = true; // Once only: later the number may belong to another group.
        if (alive()) await endProcess(identity, spec.stopSignal, spec.graceMs);
        signalProcess(identity, 'SIGKILL', 'group');
      }
      await exited;
      removeRunFile(home, spec.name);
    },
  };
}
