import { describe, expect, test } from 'vitest';
import { contractSchema } from '../../../domain/data/contract.js';
import { compileContract } from '../../../inference/compiled-contract.js';
import type { InputTensor } from '../../../inference/input-tensor.js';
import { packRows } from '../../../inference/pack-rows.js';

const contract = contractSchema.parse({
  entity: ['id'],
  eventTime: 'at',
  features: {
    id: { type: 'integer', nullable: true },
    ok: { type: 'boolean', nullable: true },
    when: { type: 'timestamp', nullable: true },
    pixels: { type: 'vector', length: 2, nullable: true },
    note: { type: 'text', nullable: true },
    tags: { type: 'list', of: { type: 'string' }, maxLength: 3, nullable: true },
    visits: { type: 'list', of: { type: 'integer' }, maxLength: 2, nullable: true },
  },
});
const compiled = compileContract(contract, ['id', 'ok', 'when', 'pixels', 'note', 'tags', 'visits']);

type Sent = Pick<InputTensor, 'datatype' | 'shape'> & { data?: unknown[]; bytes?: Buffer; nested?: true };
const request = (tensors: Record<string, Sent>) =>
  new Map(
    Object.entries(tensors).map(([name, { data, bytes, ...rest }]): [string, InputTensor] => [
      name,
      { name, data, bytes, ...rest },
    ]),
  );
const read = (tensors: Record<string, Sent>) => compiled.readRows(request(tensors));

const int64 = (...values: bigint[]) => Buffer.from(BigInt64Array.from(values).buffer);
const fp32 = (...values: number[]) => Buffer.from(Float32Array.from(values).buffer);
const bytes = (...values: string[]) =>
  Buffer.concat(
    values.flatMap((value) => {
      const length = Buffer.alloc(4);
      length.writeUInt32LE(Buffer.byteLength(value));
      return [length, Buffer.from(value)];
    }),
  );

const max = 2n ** 63n - 1n;
const columns = [
  [max, null],
  [true, null],
  [-1n, null],
  [[1.5, -0], null],
  ['🍕\n', ''],
  [['b', '', '🍕'], null],
  [[-(2n ** 63n)], []],
];

describe('values of each type', () => {
  test('are the same from JSON, flat and nested, as from bytes, with what is missing said beside them', () => {
    const json = read({
      id: { datatype: 'INT64', shape: [2, 1], data: [max, null] },
      ok: { datatype: 'BOOL', shape: [2], data: [true, null] },
      when: { datatype: 'BYTES', shape: [2, 1], data: ['1969-12-31T23:59:59.999999Z', ''] },
      pixels: { datatype: 'FP32', shape: [2, 2], data: [1.5, -0, null, null] },
      note: { datatype: 'BYTES', shape: [2, 1], data: ['🍕\n', null] },
      tags: { datatype: 'BYTES', shape: [2, 3], data: [['b', '', '🍕'], null], nested: true },
      visits: { datatype: 'INT64', shape: [2, 2], data: ['-9223372036854775808', null, null, null] },
    });
    const missing = { datatype: 'BOOL', shape: [2, 1], bytes: Buffer.from([0, 1]) };
    const binary = read({
      id: { datatype: 'INT64', shape: [2, 1], bytes: int64(max, 5n) },
      'id:missing': missing,
      ok: { datatype: 'BOOL', shape: [2, 1], bytes: Buffer.from([1, 0]) },
      'ok:missing': missing,
      when: { datatype: 'INT64', shape: [2, 1], bytes: int64(-1n, max) },
      'when:missing': missing,
      pixels: { datatype: 'FP32', shape: [2, 2], bytes: fp32(1.5, -0, NaN, 1) },
      'pixels:missing': missing,
      note: { datatype: 'BYTES', shape: [2, 1], bytes: bytes('🍕\n', '') },
      tags: { datatype: 'BYTES', shape: [2, 3], bytes: bytes('b', '', '🍕', 'x', '', '') },
      'tags:missing': missing,
      visits: { datatype: 'INT64', shape: [2, 2], bytes: int64(-(2n ** 63n), 7n, 7n, 7n) },
      'visits:length': { datatype: 'INT64', shape: [2, 1], bytes: int64(1n, 0n) },
    });
    expect(json).toEqual({ count: 2, columns });
    expect(binary).toEqual({ count: 2, columns });
  });

  test('reach the graph as its inputs, requests side by side', () => {
    const rows = { count: 2, columns };
    const { others, strings } = packRows(compiled.features, [
      rows,
      { count: 1, columns: columns.map((one) => [one[1] ?? null]) },
    ]);
    expect(strings).toEqual(['🍕\n', '', '']);
    expect(others).toEqual({
      id: BigInt64Array.of(max, 0n, 0n),
      'id:missing': Uint8Array.of(0, 1, 1),
      ok: Uint8Array.of(1, 0, 0),
      'ok:missing': Uint8Array.of(0, 1, 1),
      when: BigInt64Array.of(-1n, 0n, 0n),
      'when:missing': Uint8Array.of(0, 1, 1),
      pixels: Float32Array.of(1.5, -0, NaN, NaN, NaN, NaN),
      tags: ['b', '', '🍕', '', '', '', '', '', ''],
      'tags:length': BigInt64Array.of(3n, 0n, 0n),
      'tags:missing': Uint8Array.of(0, 1, 1),
      visits: BigInt64Array.of(-(2n ** 63n), 0n, 0n, 0n, 0n, 0n),
      'visits:length': BigInt64Array.of(1n, 0n, 0n),
      'visits:missing': Uint8Array.of(0, 0, 0),
    });
  });

  test('that are not sent are missing', () => {
    expect(read({ note: { datatype: 'BYTES', shape: [1], data: ['x'] } }).columns).toEqual([
      ...[[null], [null], [null], [null], ['x'], [null], [null]],
    ]);
  });
});

describe('what does not fit is refused with its place', () => {
  test.each<[string, Record<string, Sent>, RegExp]>([
    [
      'an integer as FP32',
      { id: { datatype: 'FP32', shape: [1], data: [1] } },
      /id is an integer, but its datatype is "FP32". Send INT64/,
    ],
    [
      'a fraction',
      { id: { datatype: 'INT64', shape: [2], data: [1, 1.5] } },
      /Feature id, row 1: 1.5 is not a whole number/,
    ],
    [
      'half a boolean',
      { ok: { datatype: 'BOOL', shape: [1], bytes: Buffer.from([2]) } },
      /the byte 2 is neither 0 nor 1/,
    ],
    [
      'a leap second',
      { when: { datatype: 'BYTES', shape: [1], data: ['2016-12-31T23:59:60Z'] } },
      /Feature when, row 0: .* is not a time/,
    ],
    [
      'a vector of another length',
      { pixels: { datatype: 'FP32', shape: [1, 3], data: [1, 2, 3] } },
      /pixels has the shape \[1,3\]. Send \[rows, 2\]/,
    ],
    [
      'NaN in a vector',
      { pixels: { datatype: 'FP32', shape: [1, 2], bytes: fp32(1, NaN) } },
      /Feature pixels, row 0: place 1 of the vector: NaN/,
    ],
    [
      'half a vector',
      { pixels: { datatype: 'FP32', shape: [1, 2], data: [1, null] } },
      /place 1 of the vector: null is not a number/,
    ],
    [
      'a list that is too long',
      { tags: { datatype: 'BYTES', shape: [1, 4], data: ['a', 'b', 'c', 'd'] } },
      /tags has the shape .* Send \[rows, 0 to 3\]/,
    ],
    [
      'a hole in a list',
      { tags: { datatype: 'BYTES', shape: [1, 3], data: ['a', null, 'c'] } },
      /place 1 of the list: null is not a string/,
    ],
    [
      'a length beyond the width',
      {
        tags: { datatype: 'BYTES', shape: [1, 1], data: ['a'] },
        'tags:length': { datatype: 'INT64', shape: [1], data: [2] },
      },
      /tags:length, row 0: 2 is no length/,
    ],
    [
      'what is missing, alone',
      {
        note: { datatype: 'BYTES', shape: [1], data: [''] },
        'id:missing': { datatype: 'BOOL', shape: [1], data: [true] },
      },
      /"id:missing" is sent without id/,
    ],
    [
      'what is missing of another type',
      { id: { datatype: 'INT64', shape: [1], data: [1] }, 'id:missing': { datatype: 'INT64', shape: [1], data: [1] } },
      /Send BOOL of the shape \[1, 1\]/,
    ],
    [
      'what is missing of a text',
      {
        note: { datatype: 'BYTES', shape: [1], data: ['x'] },
        'note:missing': { datatype: 'BOOL', shape: [1], data: [true] },
      },
      /"note:missing" is not a feature/,
    ],
  ])('%s', (_name, tensors, message) => expect(() => read(tensors)).toThrow(message));

  test('a missing value of a feature that is not nullable', () => {
    const strict = compileContract(contractSchema.parse({ ...contract, features: { id: { type: 'integer' } } }));
    const id = { datatype: 'INT64', shape: [1], data: [1] };
    expect(() =>
      strict.readRows(request({ id, 'id:missing': { datatype: 'BOOL', shape: [1], data: [true] } })),
    ).toThrow(/Feature id, row 0: the value is missing, and this feature is not nullable. Send a whole number/);
  });
});
