import type { ChildProcess } from 'node:child_process';
import type { FromInference } from './inference-messages.js';
import { forkProgram } from './fork-program.js';

/**
 * A busy process lets the space for young objects grow by 40 MB, and each of its threads takes memory from an arena of
 * its own. Its objects live as long as a batch: small spaces cost no processor time, see docs/performance.md.
 */
const smallHeaps = { execArgv: ['--max-semi-space-size=1'], env: { MALLOC_ARENA_MAX: '1' } };

export interface InferenceProcess {
  child: ChildProcess;
  /** Ends when the process takes messages; never, when it dies before. */
  booted: Promise<void>;
}

/** A new spare is started when the one that was taken has had time to load its model undisturbed. */
const refillAfterMs = 1_500;

/**
 * Keeps one booted process in hand, so that a model that has lost its process, or is new, waits for its own loading
 * only.
 */
export class WarmProcess {
  private spare: InferenceProcess | undefined;
  private timer: NodeJS.Timeout | undefined;
  private closed = false;

  constructor(private readonly options: { workFolder: string; memoryMaxMb: number }) {}

  /** The spare, or a new process where there is none. */
  take(): InferenceProcess {
    const { spare } = this;
    this.spare = undefined;
    if (!this.closed) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => {
        this.spare = this.start();
      }, refillAfterMs).unref();
    }
    return spare !== undefined && isAlive(spare.child) ? spare : this.start();
  }

  close(): void {
    this.closed = true;
    clearTimeout(this.timer);
    this.spare?.child.kill('SIGKILL');
  }

  private start(): InferenceProcess {
    const { workFolder, memoryMaxMb } = this.options;
    const child = forkProgram(new URL('./inference-process.ts', import.meta.url), {
      cwd: workFolder,
      // Nothing of the gateway's environment: a model must not find secrets there.
      env: { TZ: 'UTC', NODE_ENV: 'production', ...smallHeaps.env },
      execArgv: [`--max-old-space-size=${memoryMaxMb}`, ...smallHeaps.execArgv],
      serialization: 'advanced',
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    const booted = new Promise<void>((resolve) => {
      child.once('message', (message: FromInference) => {
        if (message.kind === 'ready') resolve();
      });
    });
    return { child, booted };
  }
}

function isAlive({ exitCode, signalCode }: ChildProcess): boolean {
  return exitCode === null && signalCode === null;
}
