import { LoadConnection } from './load-connection.js';
import type { LoadRequest, LoadResult } from './load-messages.js';
import { LoadTally } from './load-tally.js';

/** After the end, answers under way are waited for this long; what is not answered then has failed. */
const drainMs = 15_000;

/** Loads one port and says how it went. */
export function generateLoad(request: LoadRequest): Promise<LoadResult> {
  return new Promise((resolve) => new HttpLoad(request, resolve).connect());
}

/** Requests over HTTP: as fast as they are answered, or when they are due. */
class HttpLoad {
  private readonly tally = new LoadTally();
  private readonly open = new Set<LoadConnection>();
  private readonly idle: LoadConnection[] = [];
  /** When those were due that no connection was free for. */
  private readonly due: number[] = [];
  private opens = 0;
  private sent = 0;
  private scheduled = 0;
  private startedAt = 0;
  private stoppedAt = 0;
  private over = false;
  private ended = false;
  private pacer: NodeJS.Timeout | undefined;

  constructor(
    private readonly request: LoadRequest,
    private readonly done: (result: LoadResult) => void,
  ) {}

  connect(): void {
    for (let index = 0; index < this.request.connections; index += 1) this.connectOne();
  }

  private connectOne(): void {
    const events = {
      answered: (connection: LoadConnection, status: number, dueAt: number) => {
        if (status === 200) this.tally.answer(performance.now() - dueAt);
        else this.tally.fail(`status ${status}`);
        this.next(connection);
      },
      broken: (connection: LoadConnection, reason: string, dueAt: number | undefined) => {
        this.open.delete(connection);
        if (dueAt !== undefined || this.startedAt === 0) this.tally.fail(reason);
        if (!this.over) this.connectOne();
        else if (this.open.size === 0) this.finish();
      },
    };
    this.open.add(new LoadConnection(this.request.port, events, (connection) => this.opened(connection)));
  }

  private opened(connection: LoadConnection): void {
    this.opens += 1;
    this.idle.push(connection);
    if (this.startedAt > 0) this.next(this.idle.pop() ?? connection);
    else if (this.opens === this.request.connections) this.begin();
  }

  private begin(): void {
    const { durationMs, perSecond } = this.request;
    this.startedAt = performance.now();
    for (const connection of this.idle.splice(0)) this.next(connection);
    setTimeout(() => this.stop(), durationMs);
    if (perSecond !== undefined) this.pacer = setInterval(() => this.pace(perSecond), 1);
  }

  private next(connection: LoadConnection): void {
    const { requestsMax = Infinity, perSecond } = this.request;
    // What was due before the end is sent, however late.
    const dueAt = this.due.shift();
    if (dueAt !== undefined) this.send(connection, dueAt);
    else if (this.over || this.sent >= requestsMax) {
      connection.close();
      this.open.delete(connection);
      if (this.open.size === 0) this.finish();
    } else if (perSecond === undefined) this.send(connection, performance.now());
    else this.idle.push(connection);
  }

  private send(connection: LoadConnection, dueAt: number): void {
    const { requests } = this.request;
    const request = requests[this.sent % requests.length];
    if (request === undefined) throw new RangeError('there is nothing to send');
    this.sent += 1;
    connection.send(request, dueAt);
  }

  private pace(perSecond: number): void {
    const now = performance.now();
    const nextDue = () => this.startedAt + (this.scheduled * 1000) / perSecond;
    for (let dueAt = nextDue(); dueAt <= now; dueAt = nextDue()) {
      this.scheduled += 1;
      const connection = this.idle.pop();
      if (connection === undefined) this.due.push(dueAt);
      else this.send(connection, dueAt);
    }
  }

  private stop(): void {
    this.over = true;
    this.stoppedAt = performance.now();
    clearInterval(this.pacer);
    for (const connection of this.idle.splice(0)) this.next(connection);
    setTimeout(() => this.giveUp(), drainMs).unref();
  }

  private giveUp(): void {
    for (const _ of this.due.splice(0)) this.tally.fail('no connection was free to send it');
    for (const connection of this.open) {
      if (!connection.idle) this.tally.fail('no answer');
      connection.close();
    }
    this.open.clear();
    this.finish();
  }

  private finish(): void {
    if (this.ended) return;
    this.ended = true;
    const endedAt = this.stoppedAt === 0 ? performance.now() : this.stoppedAt;
    this.done(this.tally.result((endedAt - this.startedAt) / 1000));
  }
}
