import { openAsBlob } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { messageOf } from '../../../../domain/errors.js';
import { sendRequest } from '../../../../client/http/send-request.js';

describe('a request', () => {
  const opened: { closeAllConnections?: () => void; close: () => unknown }[] = [];
  afterEach(() => {
    for (const server of opened.splice(0)) {
      server.closeAllConnections?.();
      server.close();
    }
  });
  const serve = async (listener: RequestListener) => listening(createServer(listener));
  const listening = async (server: Server): Promise<URL> => {
    opened.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/path?a=b`);
  };

  test('brings method, path, headers and text, and takes back status, headers and bytes', async () => {
    const url = await serve((request, response) => {
      request.setEncoding('utf8');
      let body = '';
      request.on('data', (chunk: string) => (body += chunk));
      request.on('end', () => {
        response.writeHead(201, { 'x-echo': 'yes' });
        response.end(`${request.method} ${request.url} ${String(request.headers['x-mine'])} ${body}`);
      });
    });
    const reply = await sendRequest(url, {
      ...{ method: 'POST', headers: { 'x-mine': 'mine' }, body: 'é', timeoutMs: 30_000 },
    });
    expect(reply.status).toBe(201);
    expect([reply.header('X-Echo'), reply.header('x-none')]).toEqual(['yes', null]);
    expect(new TextDecoder().decode(reply.bytes)).toBe('POST /path?a=b mine é');
  });

  test('streams a file with its length', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'perdure-send-'));
    const file = path.join(folder, 'file');
    const bytes = Buffer.alloc(5_000_000, 'perdure ');
    await writeFile(file, bytes);
    const received: Buffer[] = [];
    let length: string | undefined;
    const url = await serve((request, response) => {
      length = request.headers['content-length'];
      request.on('data', (chunk: Buffer) => received.push(chunk)).on('end', () => response.end());
    });
    await sendRequest(url, { method: 'PUT', body: await openAsBlob(file), timeoutMs: 30_000 });
    expect(length).toBe(String(bytes.length));
    expect(Buffer.concat(received).equals(bytes)).toBe(true);
    await rm(folder, { recursive: true });
  });

  test('takes a refusal that comes before the end of what it sends', async () => {
    const url = await serve((_, response) => response.writeHead(413, { connection: 'close' }).end('too large'));
    const reply = await sendRequest(url, { method: 'PUT', body: new Blob([Buffer.alloc(50_000)]), timeoutMs: 30_000 });
    expect([reply.status, new TextDecoder().decode(reply.bytes)]).toEqual([413, 'too large']);
  });

  test('fails where the answer does not come in time or breaks off, and says so', async () => {
    const silent = await serve(() => undefined);
    const slow = await serve((_, response) => void response.write('half of '));
    const broken = await serve((_, response) => {
      response.writeHead(200, { 'content-length': 100 }).write('half of ');
      setImmediate(() => response.destroy());
    });
    const failure = (url: URL, timeoutMs: number) =>
      sendRequest(url, { timeoutMs }).then(
        () => 'answered',
        (error: unknown) => messageOf(error),
      );
    expect(await failure(silent, 100)).toMatch(/due to timeout/);
    expect(await failure(slow, 100)).toMatch(/due to timeout/);
    expect(await failure(broken, 30_000)).toMatch(/aborted|hang up/);
  });

  test('says what refused it where nobody listens', async () => {
    const url = await serve(() => undefined);
    const { port } = url;
    await new Promise<void>((resolve) => (opened.splice(0)[0] as Server).close(() => resolve()));
    await expect(sendRequest(url, { timeoutMs: 30_000 })).rejects.toThrow(`connect ECONNREFUSED 127.0.0.1:${port}`);
  });

  test('is encrypted to an https address', async () => {
    let first: number | undefined;
    const server = createTcpServer((socket) =>
      socket
        .on('error', () => undefined)
        .once('data', (bytes: Buffer) => {
          first = bytes[0];
          socket.destroy();
        }),
    );
    opened.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    await expect(sendRequest(new URL(`https://127.0.0.1:${port}`), { timeoutMs: 30_000 })).rejects.toThrow();
    const tlsHandshake = 0x16;
    expect(first).toBe(tlsHandshake);
  });
});
