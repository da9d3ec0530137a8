import { connect, constants, type IncomingHttpHeaders } from 'node:http2';
import type { LoadRequest, LoadResult } from './load-messages.js';
import { LoadTally } from './load-tally.js';

const { NGHTTP2_CANCEL } = constants;

/**
 * Unary gRPC calls on one connection, so many at a time, as a gRPC client makes them; written on HTTP/2 itself, so that
 * no client library is measured with them.
 */
export function generateGrpcLoad(request: LoadRequest, method: string): Promise<LoadResult> {
  const { port, requests, connections, durationMs, requestsMax = Infinity } = request;
  return new Promise((resolve, reject) => {
    const session = connect(`http://127.0.0.1:${port}`);
    session.on('error', reject);
    const tally = new LoadTally();
    const startedAt = performance.now();
    let sent = 0;
    let open = 0;
    const headers = { ':method': 'POST', ':path': method, 'content-type': 'application/grpc', te: 'trailers' };

    const settle = (sentAt: number, status: string | undefined) => {
      open -= 1;
      if (status === '0') tally.answer(performance.now() - sentAt);
      else tally.fail(`grpc-status ${status ?? 'missing'}`);
      if (performance.now() - startedAt < durationMs && sent < requestsMax) call();
      else if (open === 0) finish();
    };
    const call = () => {
      const message = requests[sent % requests.length];
      if (message === undefined) throw new RangeError('there is nothing to send');
      sent += 1;
      open += 1;
      const sentAt = performance.now();
      const stream = session.request(headers);
      let status: string | undefined;
      const note = (given: IncomingHttpHeaders) => {
        const value = given['grpc-status'];
        if (typeof value === 'string') status = value;
      };
      stream.on('response', note);
      stream.on('trailers', note);
      stream.on('error', () => stream.close(NGHTTP2_CANCEL));
      stream.on('close', () => settle(sentAt, status));
      stream.resume();
      stream.end(message);
    };
    const finish = () => {
      const seconds = (performance.now() - startedAt) / 1000;
      session.close();
      resolve(tally.result(seconds));
    };
    session.once('connect', () => {
      for (let index = 0; index < connections; index += 1) call();
    });
  });
}
