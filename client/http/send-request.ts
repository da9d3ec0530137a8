import type { IncomingMessage } from 'node:http';
import { Readable } from 'node:stream';

export interface HttpRequest {
  method?: string | undefined;
  headers?: Record<string, string>;
  /** A file is streamed. */
  body?: string | Blob | undefined;
  /** Milliseconds until the whole answer must be there. */
  timeoutMs: number;
}

export interface HttpReply {
  status: number;
  /** Null where the answer has none. */
  header: (name: string) => string | null;
  bytes: Uint8Array;
}

/**
 * One request over HTTP or HTTPS; a redirect is an answer. Not by `fetch`: to load it takes a command longer than all
 * else that it does.
 * @throws Error when no whole answer came in time
 */
export async function sendRequest(url: URL, { method, headers, body, timeoutMs }: HttpRequest): Promise<HttpReply> {
  const { request } = url.protocol === 'https:' ? await import('node:https') : await import('node:http');
  const signal = AbortSignal.timeout(timeoutMs);
  const length = body instanceof Blob ? { 'content-length': String(body.size) } : {};
  const sent = request(url, { method, headers: { ...headers, ...length }, signal });
  try {
    const answered = new Promise<IncomingMessage>((resolve, reject) =>
      sent.once('response', resolve).on('error', reject),
    );
    if (body instanceof Blob)
      Readable.from(body.stream())
        .once('error', (error) => sent.destroy(error))
        .pipe(sent);
    else sent.end(body);
    const answer = await answered;
    const chunks: Buffer[] = [];
    for await (const chunk of answer) chunks.push(chunk);
    return {
      status: answer.statusCode ?? 0,
      header: (name) => [answer.headers[name.toLowerCase()]].flat()[0] ?? null,
      bytes: Buffer.concat(chunks),
    };
  } catch (error) {
    if (signal.aborted) throw signal.reason;
    // Of a name with several addresses: what the first of them said.
    throw error instanceof AggregateError ? error.errors[0] : error;
  } finally {
    // An answer that came before the end of what was sent: nobody reads the rest.
    if (!sent.writableFinished) sent.destroy();
  }
}
