import type { PortClaim } from './ports.js';

/** `on-demand`: not started, and starts when something first asks for it. */
export type ComponentState =
  'stopped' | 'starting' | 'running' | 'restarting' | 'stopping' | 'failed' | 'external' | 'on-demand';

export interface Command {
  file: string;
  args: readonly string[];
  env: NodeJS.ProcessEnv;
  cwd: string;
}

/** What a health check may ask of the running process besides its network address. */
export interface ProcessView {
  /** The child said over IPC that it is ready. */
  announced: boolean;
  /** Milliseconds since the child last answered over IPC; 0 for children without a channel. */
  silentMs: number;
}

/** One process of the stack: how it is started, how one knows that it works, how it is stopped. */
export interface ComponentSpec {
  name: string;
  kind: 'server' | 'node';
  /** For people and for `stack.json`. */
  address: string | undefined;
  version: string | undefined;
  ports: readonly PortClaim[];
  /**
   * A running process that was started under the same words is taken over by the next supervisor. Absent: it is started
   * anew.
   */
  adoptAs?: string | undefined;
  /** Makes ready what the process needs on disk; repeatable, and safe after an interruption at any point. */
  prepare(): Promise<void>;
  command(): Command;
  /** Resolves when the process works; rejects with what is wrong. Asked once at a time, within `checkTimeoutMs`. */
  check(view: ProcessView): Promise<void>;
  stopSignal: 'SIGTERM' | 'SIGINT';
  /** From the stop signal to SIGKILL for the process group. */
  graceMs: number;
  startTimeoutMs: number;
}

export interface ComponentReport {
  name: string;
  state: ComponentState;
  pid: number | undefined;
  address: string | undefined;
  version: string | undefined;
  logFile: string | undefined;
  startedAt: string | undefined;
  restarts: number;
  lastError: string | undefined;
}

export interface StackProgress {
  component: string;
  phase: 'starting' | 'ready' | 'adopted' | 'died' | 'unhealthy' | 'restarted' | 'stopping' | 'stopped' | 'note';
  detail?: string;
  durationMs?: number;
}

export type OnProgress = (progress: StackProgress) => void;
