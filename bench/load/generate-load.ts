import { LatencyHistogram } from './latency-histogram.js';
import { LoadConnection } from './load-connection.js';
import type { LoadRequest, LoadResult } from './load-messages.js';

/** After the end, answers under way are waited for this long; what is not answered then has failed. */
const drainMs = 15_000;

/** Loads one port and says how it went. */
export function generateLoad({
  port,
  requests,
  connections,
  durationMs,
  requestsMax = Infinity,
  perSecond,
}: LoadRequest): Promise<LoadResult> {
  return new Promise((resolve) => {
    const histogram = new LatencyHistogram();
    const open = new Set<LoadConnection>();
    const idle: LoadConnection[] = [];
    const due: number[] = [];
    let maxMs = 0;
    let answered = 0;
    let failed = 0;
    let firstFailure: string | undefined;
    let sent = 0;
    let scheduled = 0;
    let startedAt = 0;
    let over = false;
    let ended = false;
    let pacer: NodeJS.Timeout | undefined;

    const send = (connection: LoadConnection, dueAt: number) => {
      const request = requests[sent % requests.length];
      if (request === undefined) throw new RangeError('there is nothing to send');
      sent += 1;
      connection.send(request, dueAt);
    };
    const next = (connection: LoadConnection) => {
      // What was due before the end is sent, however late.
      const dueAt = due.shift();
      if (dueAt !== undefined) send(connection, dueAt);
      else if (over || sent >= requestsMax) {
        connection.close();
        open.delete(connection);
        if (open.size === 0) finish();
      } else if (perSecond === undefined) send(connection, performance.now());
      else idle.push(connection);
    };
    const fail = (reason: string) => {
      failed += 1;
      firstFailure ??= reason;
    };
    const answer = (connection: LoadConnection, status: number, dueAt: number) => {
      const now = performance.now();
      if (status === 200) {
        answered += 1;
        histogram.add(now - dueAt);
        maxMs = Math.max(maxMs, now - dueAt);
      } else fail(`status ${status}`);
      next(connection);
    };
    const broken = (connection: LoadConnection, reason: string, dueAt: number | undefined) => {
      open.delete(connection);
      if (dueAt !== undefined || startedAt === 0) fail(reason);
      if (!over) connectOne();
      else if (open.size === 0) finish();
    };
    const connectOne = () => {
      open.add(new LoadConnection(port, { answered: answer, broken }, opened));
    };
    let opens = 0;
    const opened = (connection: LoadConnection) => {
      opens += 1;
      idle.push(connection);
      if (startedAt > 0) next(idle.pop() ?? connection);
      else if (opens === connections) begin();
    };
    const begin = () => {
      startedAt = performance.now();
      const first = idle.splice(0);
      for (const connection of first) next(connection);
      setTimeout(stop, durationMs);
      if (perSecond !== undefined) pacer = setInterval(() => pace(perSecond), 1);
    };
    const pace = (rate: number) => {
      const now = performance.now();
      for (
        let dueAt = startedAt + (scheduled * 1000) / rate;
        dueAt <= now;
        dueAt = startedAt + (scheduled * 1000) / rate
      ) {
        scheduled += 1;
        const connection = idle.pop();
        if (connection === undefined) due.push(dueAt);
        else send(connection, dueAt);
      }
    };
    let stoppedAt = 0;
    const stop = () => {
      over = true;
      stoppedAt = performance.now();
      clearInterval(pacer);
      for (const connection of idle.splice(0)) next(connection);
      setTimeout(() => {
        for (const _ of due.splice(0)) fail('no connection was free to send it');
        for (const connection of open) {
          if (!connection.idle) fail('no answer');
          connection.close();
        }
        open.clear();
        finish();
      }, drainMs).unref();
    };
    const finish = () => {
      if (ended) return;
      ended = true;
      const seconds = ((stoppedAt === 0 ? performance.now() : stoppedAt) - startedAt) / 1000;
      resolve({
        answered,
        failed,
        firstFailure,
        seconds,
        perSecond: answered / seconds,
        p50Ms: histogram.percentileMs(0.5),
        p99Ms: histogram.percentileMs(0.99),
        p999Ms: histogram.percentileMs(0.999),
        maxMs,
      });
    };
    for (let index = 0; index < connections; index += 1) connectOne();
  });
}
