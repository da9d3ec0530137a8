import { BinaryWriter } from '@bufbuild/protobuf/wire';
import { describe, expect, test } from 'vitest';
import { PerdureError } from '../../../../domain/errors.js';
import { ModelInferRequest } from '../../../../serving/grpc/generated/open_inference_grpc.js';
import { noContents, readInferMessage } from '../../../../serving/grpc/infer-message.js';
import { TextCache } from '../../../../serving/grpc/text-cache.js';
import { exampleRow } from '../../../integration/serving/flight-rows.js';
import { rawRequest, typedRequest } from '../../../integration/serving/grpc-client.js';

const encode = (request: ModelInferRequest) => Buffer.from(ModelInferRequest.encode(request).finish());
const rows = [exampleRow, { ...exampleRow, carrier: 'ÅÄ', temp: null, dep_delay: -3 }];

/** One tensor with these contents, as the generated encoder writes it. */
const valuesOf = (datatype: string, contents: object) => {
  const inputs = [{ name: 'x', datatype, shape: [1, 1], parameters: {}, contents: { ...noContents, ...contents } }];
  return readInferMessage(encode({ ...typedRequest([]), inputs })).request.inputs.get('x')?.data;
};

test('a message is read as the generated encoder wrote it', () => {
  const parameters: ModelInferRequest['parameters'] = {
    timeout: { parameterChoice: { $case: 'int64Param', value: 250_000 } },
  };
  const outputs = [{ name: 'probabilities', parameters: {} }];
  const typed = readInferMessage(encode(typedRequest(rows, { id: 'a', modelVersion: '7', parameters, outputs })));
  expect(typed).toMatchObject({ model: 'flight-delay', version: '7', raw: false });
  expect(typed.request).toMatchObject({ id: 'a', timeoutMs: 250, outputs: [{ name: 'probabilities' }] });
  expect([...typed.request.inputs.keys()]).toEqual(Object.keys(exampleRow));
  expect(typed.request.inputs.get('carrier')).toMatchObject({
    datatype: 'BYTES',
    shape: [2, 1],
    data: ['UA', 'ÅÄ'],
    bytes: undefined,
  });
  expect(typed.request.inputs.get('temp')?.data).toEqual([Math.fround(39.02), NaN]);
  const request = rawRequest(rows);
  const raw = readInferMessage(encode(request));
  expect(raw.raw).toBe(true);
  expect([...raw.request.inputs.values()].map((input) => input.bytes)).toEqual(request.rawInputContents);
});

describe('typed numbers', () => {
  test.each<[string, object, (number | boolean)[]]>([
    [
      'INT32',
      { intContents: [0, 1, -1, 127, 128, 2 ** 31 - 1, -(2 ** 31)] },
      [0, 1, -1, 127, 128, 2 ** 31 - 1, -(2 ** 31)],
    ],
    [
      'INT64',
      { int64Contents: [2 ** 53 - 1, -(2 ** 53 - 1), -1, 2 ** 28, 2 ** 35] },
      [2 ** 53 - 1, -(2 ** 53 - 1), -1, 2 ** 28, 2 ** 35],
    ],
    ['UINT32', { uintContents: [0, 2 ** 32 - 1] }, [0, 2 ** 32 - 1]],
    ['UINT64', { uint64Contents: [2 ** 53 - 1, 300] }, [2 ** 53 - 1, 300]],
    ['FP32', { fp32Contents: [1.5, -0.25, Infinity] }, [1.5, -0.25, Infinity]],
    ['FP64', { fp64Contents: [Math.PI, -1e300] }, [Math.PI, -1e300]],
    ['BOOL', { boolContents: [true, false] }, [true, false]],
  ])('of %s are exact', (datatype, contents, expected) => {
    expect(valuesOf(datatype, contents)).toEqual(expected);
  });

  test('of 64 bits beyond 2^53 are exact', () => {
    const writer = new BinaryWriter()
      .uint32(42)
      .fork()
      .uint64(18446744073709551615n)
      .int64(-9223372036854775808n)
      .join();
    const tensor = new BinaryWriter()
      .uint32(10)
      .string('x')
      .uint32(18)
      .string('UINT64')
      .uint32(42)
      .bytes(writer.finish());
    const message = new BinaryWriter().uint32(42).bytes(tensor.finish());
    expect(readInferMessage(Buffer.from(message.finish())).request.inputs.get('x')?.data).toEqual([
      2n ** 64n - 1n,
      2n ** 63n,
    ]);
  });

  test('may stand one by one instead of packed, and in several parts', () => {
    const part = (value: number) => new BinaryWriter().uint32(53).float(value).finish();
    const tensor = new BinaryWriter()
      .uint32(10)
      .string('x')
      .uint32(18)
      .string('FP32')
      .uint32(24)
      .int64(2)
      .uint32(24)
      .int64(1);
    for (const value of [1, 2]) tensor.uint32(42).bytes(part(value));
    const message = new BinaryWriter().uint32(42).bytes(tensor.finish());
    expect(readInferMessage(Buffer.from(message.finish())).request.inputs.get('x')).toMatchObject({
      shape: [2, 1],
      data: [1, 2],
    });
  });
});

test('whatever is cut off or changed in a message, it is read or refused in words, and never anything else', () => {
  let seed = 42;
  const random = (below: number) => {
    seed = (Math.imul(seed, 1103515245) + 12345) & 0x7fffffff;
    return seed % below;
  };
  let refused = 0;
  for (const whole of [encode(typedRequest(rows)), encode(rawRequest(rows))]) {
    for (let turn = 0; turn < 1_000; turn += 1) {
      const bytes = turn % 2 === 0 ? Buffer.from(whole.subarray(0, random(whole.length))) : Buffer.from(whole);
      if (turn % 2 === 1)
        for (let change = 0; change <= random(3); change += 1) bytes[random(bytes.length)] = random(256);
      try {
        readInferMessage(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(PerdureError);
        expect(error).toMatchObject({ code: 'input/invalid' });
        refused += 1;
      }
    }
  }
  expect(refused).toBeGreaterThan(1_000);
});

test('a string from the cache is the one that the bytes say, whatever was there before', () => {
  const cache = new TextCache();
  for (let turn = 0; turn < 5_000; turn += 1) {
    const text = `level-${(turn * 7919) % 3_000}`;
    const bytes = Buffer.from(`ab${text}cd`);
    expect(cache.find(bytes, 2, bytes.length - 2)).toBe(text);
  }
  expect(cache.find(Buffer.from('Å'), 0, 2)).toBeUndefined();
  expect(cache.find(Buffer.alloc(100, 'a'), 0, 100)).toBeUndefined();
  expect(cache.find(Buffer.alloc(0), 0, 0)).toBe('');
});
