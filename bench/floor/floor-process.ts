import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { FromFloor, ToFloor } from './floor-messages.js';

/**
 * The floor: what a good engineer writes in an hour. Bare `node:http`, `JSON.parse`, the model in the same process,
 * `JSON.stringify`. The same protocol and the same model as the gateway's, and nothing of what a gateway is for: it
 * checks nothing, routes nothing, logs nothing, counts nothing, and a model that hangs takes it along.
 */

interface OipTensor {
  name: string;
  datatype: string;
  shape: number[];
  data: (number | string | null)[];
}

process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => undefined);
process.once('message', (message: ToFloor) => void serve(message));
say({ kind: 'ready' });

async function serve({ modelFile }: ToFloor): Promise<void> {
  const session = await InferenceSession.create(await readFile(modelFile), {
    intraOpNumThreads: 1,
    interOpNumThreads: 1,
  });
  const server = createServer((request, response) => {
    answer(session, request, response).catch((error: unknown) => {
      response.writeHead(500, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: String(error) }));
    });
  });
  server.listen(0, '127.0.0.1', () => {
    const address = server.address();
    say({ kind: 'listening', port: typeof address === 'object' && address !== null ? address.port : 0 });
  });
}

async function answer(session: InferenceSession, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { id, inputs } = JSON.parse(await read(request)) as { id?: string; inputs: OipTensor[] };
  const feeds: Record<string, Tensor> = {};
  for (const { name, datatype, shape, data } of inputs) {
    feeds[name] =
      datatype === 'BYTES'
        ? new Tensor('string', data as string[], shape)
        : new Tensor(
            'float32',
            Float32Array.from(data as (number | null)[], (value) => value ?? NaN),
            shape,
          );
  }
  const { label, probabilities } = await session.run(feeds);
  if (label === undefined || probabilities === undefined) throw new Error('the model has other outputs');
  const body = JSON.stringify({
    model_name: 'flight-delay',
    model_version: '1',
    id,
    outputs: [
      { name: 'label', datatype: 'INT64', shape: label.dims, data: Array.from(label.data as BigInt64Array, Number) },
      {
        name: 'probabilities',
        datatype: 'FP32',
        shape: probabilities.dims,
        data: Array.from(probabilities.data as Float32Array),
      },
    ],
  });
  response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
  response.end(body);
}

function read(request: IncomingMessage): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () =>
      resolve((chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)).toString('utf8')),
    );
    request.on('error', reject);
  });
}

function say(message: FromFloor): void {
  process.send?.(message, undefined, undefined, () => undefined);
}
