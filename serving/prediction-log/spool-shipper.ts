import type { ChildProcess } from 'node:child_process';
import type { Logger } from 'pino';
import { forkProgram } from '../../inference/fork-program.js';
import type { FromShipper, ShipperOptions } from './shipper-messages.js';

export interface SpoolShipperObserver {
  shipped: (message: Extract<FromShipper, { kind: 'shipped' }>) => void;
  /** Whether the object store took the last segment. */
  connected: (connected: boolean) => void;
}

const restartAfterMs = 2_000;

/** Keeps the shipper's process running. Its secrets go to it by message, not by its environment. */
export class SpoolShipper {
  lastError: string | undefined;
  private child: ChildProcess | undefined;
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly options: ShipperOptions,
    private readonly observer: SpoolShipperObserver,
    private readonly log: Logger,
  ) {}

  start(): void {
    const child = forkProgram(new URL('./shipper-process.ts', import.meta.url), {
      // The SDK's advice on newer versions of Node is for whoever upgrades, not for the log.
      env: { TZ: 'UTC', NODE_ENV: 'production', AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.child = child;
    child.on('message', (message: FromShipper) => {
      if (message.kind === 'ready') child.send(this.options, () => undefined);
      else if (message.kind === 'shipped') {
        this.lastError = undefined;
        this.observer.connected(true);
        this.observer.shipped(message);
      } else {
        if (this.lastError !== message.message) this.log.warn({ reason: message.message }, 'logs wait in the spool');
        this.lastError = message.message;
        this.observer.connected(false);
      }
    });
    child.once('exit', (code, signal) => {
      this.child = undefined;
      if (this.stopped) return;
      this.log.warn({ code, signal }, 'the shipper ended; starting it again');
      this.timer = setTimeout(() => this.start(), restartAfterMs);
    });
  }

  get processId(): number | undefined {
    return this.child?.pid;
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    this.child?.kill('SIGKILL');
  }
}
