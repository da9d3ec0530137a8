import type { ShapedRow } from '../../adapters/data-engine/snapshot/read-shaped-rows.js';
import type { JsonValue } from '../../domain/data/feature/feature-value.js';
import type { Contract } from '../../domain/data/contract.js';

export interface RequestShape {
  model: string;
  contract: Contract;
  rows: readonly ShapedRow[];
  rowsPerRequest: number;
  /** Values as raw little-endian bytes behind the JSON, asked for likewise; else all in JSON. */
  binary: boolean;
  /** How many different requests to make; rows are used again when they run out. */
  count: number;
}

/** Whole HTTP requests of the Open Inference Protocol, ready to be written to a socket. */
export function inferRequests({ model, contract, rows, rowsPerRequest, binary, count }: RequestShape): Buffer[] {
  return Array.from({ length: count }, (_, number) => {
    const chosen = Array.from(
      { length: rowsPerRequest },
      (_row, index) => rows[(number * rowsPerRequest + index) % rows.length],
    );
    const tensors = Object.entries(contract.features).map(([name, { type }]) => ({
      head: { name, shape: [rowsPerRequest, 1], datatype: type === 'string' ? 'BYTES' : 'FP32' },
      values: chosen.map((row) => row?.features[name] ?? null),
    }));
    const id = `bench-${number}`;
    const bytes = binary ? tensors.map(({ values }) => binaryTensor(values)) : [];
    const inputs = tensors.map(({ head, values }, index) =>
      binary ? { ...head, parameters: { binary_data_size: bytes[index]?.length } } : { ...head, data: values },
    );
    const json = Buffer.from(
      JSON.stringify(binary ? { id, inputs, parameters: { binary_data_output: true } } : { id, inputs }),
    );
    const body = Buffer.concat([json, ...bytes]);
    const headers = [
      `POST /v2/models/${model}/infer HTTP/1.1`,
      'Host: 127.0.0.1',
      `Content-Type: ${binary ? 'application/octet-stream' : 'application/json'}`,
      ...(binary ? [`Inference-Header-Content-Length: ${json.length}`] : []),
      `Content-Length: ${body.length}`,
    ];
    return Buffer.concat([Buffer.from(`${headers.join('\r\n')}\r\n\r\n`), body]);
  });
}

function binaryTensor(values: readonly JsonValue[]): Buffer {
  if (values.every((value) => typeof value !== 'string')) {
    const bytes = Buffer.alloc(values.length * 4);
    values.forEach((value, index) => bytes.writeFloatLE(typeof value === 'number' ? value : NaN, index * 4));
    return bytes;
  }
  return Buffer.concat(
    values.flatMap((value) => {
      const text = Buffer.from(String(value ?? ''));
      const length = Buffer.alloc(4);
      length.writeUInt32LE(text.length);
      return [length, text];
    }),
  );
}
