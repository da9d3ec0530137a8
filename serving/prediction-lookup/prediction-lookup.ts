import type { ChildProcess } from 'node:child_process';
import { PerdureError } from '../../domain/errors.js';
import type { FromPassport, ToPassport } from './passport-messages.js';
import type { LabelCounts } from './count-labels.js';
import type { FoundPrediction } from './prediction-finder.js';
import { forkProgram } from '../../inference/fork-program.js';

export type PredictionLookupOptions = Omit<Extract<ToPassport, { kind: 'start' }>, 'kind'>;

type Answer = Extract<FromPassport, { kind: 'found' | 'counted' }>;
type Question = { kind: 'find'; id: string; models: string[] } | { kind: 'count-labels'; model: string; since: string };

interface Waiting {
  resolve: (answer: Answer) => void;
  reject: (error: Error) => void;
}

const waitingMax = 32;
const lookupTimeoutMs = 30_000;
/** Passports are asked for rarely: the process ends when nobody has asked for a while. */
const idleMs = 120_000;

/** Looks predictions up in a process of its own, which starts with the first question. */
export class PredictionLookup {
  private child: ChildProcess | undefined;
  private readonly waiting = new Map<number, Waiting>();
  /** Messages to a process that does not listen yet would be lost. */
  private ready = false;
  private unsent: ToPassport[] = [];
  private number = 0;
  private idleTimer: NodeJS.Timeout | undefined;

  constructor(private readonly options: PredictionLookupOptions) {}

  /**
   * @throws PerdureError `serving/overloaded` when too many ask, `server/unreachable` when the logs cannot be read now.
   */
  async find(id: string, models: string[]): Promise<FoundPrediction | undefined> {
    const answer = await this.ask({ kind: 'find', id, models });
    return answer.kind === 'found' ? (answer.found ?? undefined) : undefined;
  }

  /** What became of labels received since a time. @throws as `find` does. */
  async countLabels(model: string, since: Date): Promise<LabelCounts | undefined> {
    const answer = await this.ask({ kind: 'count-labels', model, since: since.toISOString() });
    return answer.kind === 'counted' ? answer.counts : undefined;
  }

  private async ask(asked: Question): Promise<Answer> {
    if (this.waiting.size >= waitingMax)
      throw new PerdureError(
        'serving/overloaded',
        `${waitingMax} passports are already being looked up. Try again in a second.`,
      );
    const child = (this.child ??= this.start());
    clearTimeout(this.idleTimer);
    const number = (this.number += 1);
    let timer: NodeJS.Timeout | undefined;
    try {
      return await new Promise<Answer>((resolve, reject) => {
        this.waiting.set(number, { resolve, reject });
        timer = setTimeout(() => this.end(`was not found within ${lookupTimeoutMs / 1000} s`), lookupTimeoutMs);
        const question: ToPassport = { ...asked, number };
        if (this.ready) child.send(question, () => undefined);
        else this.unsent.push(question);
      });
    } finally {
      clearTimeout(timer);
      this.waiting.delete(number);
      if (this.waiting.size === 0)
        this.idleTimer = setTimeout(() => this.end('is no longer being looked up'), idleMs).unref();
    }
  }

  stop(): void {
    this.end('can no longer be looked up: this gateway is stopping');
  }

  private end(why: string): void {
    clearTimeout(this.idleTimer);
    const { child } = this;
    this.child = undefined;
    this.ready = false;
    this.unsent = [];
    child?.kill('SIGKILL');
    for (const { reject } of this.waiting.values()) reject(unreachable(why));
  }

  private start(): ChildProcess {
    const child = forkProgram(new URL('./passport-process.ts', import.meta.url), {
      env: { TZ: 'UTC', NODE_ENV: 'production', AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    child.on('message', (message: FromPassport) => {
      if (message.kind === 'ready') {
        child.send({ kind: 'start', ...this.options } satisfies ToPassport, () => undefined);
        for (const question of this.unsent.splice(0)) child.send(question, () => undefined);
        this.ready = true;
        return;
      }
      const waiting = this.waiting.get(message.number);
      if (message.kind !== 'failed') waiting?.resolve(message);
      else waiting?.reject(new PerdureError(message.code, message.message));
    });
    child.once('exit', () => {
      if (this.child === child) this.end('could not be looked up: the lookup process ended');
    });
    return child;
  }
}

const unreachable = (why: string) => new PerdureError('server/unreachable', `The prediction ${why}. Try again.`);
