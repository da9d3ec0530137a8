import { describe, expect, test } from 'vitest';
import type { InferRequest } from '../../../../serving/protocol/infer-request-shape.js';
import { parseInferRequest } from '../../../../serving/protocol/infer-request.js';
import { ParsedHeaderCache } from '../../../../serving/protocol/parsed-header-cache.js';

const tensor = (name: string, bytes = 4) => ({
  name,
  shape: [1, 1],
  datatype: 'FP32',
  parameters: { binary_data_size: bytes },
});
const body = (head: string, ...bytes: number[]) => Buffer.concat([Buffer.from(head), Buffer.from(bytes)]);
const parsed = (head: string, ...bytes: number[]): InferRequest =>
  parseInferRequest(body(head, ...bytes), String(Buffer.byteLength(head)));
const inputs = JSON.stringify([tensor('a'), tensor('b')]);
const rest = `"inputs":${inputs},"parameters":{"binary_data_output":true,"timeout":2000000}}`;

describe('a binary request whose JSON was read before', () => {
  test.each([
    ['an id', `{"id":"one",${rest}`, `{"id":"two and more",${rest}`],
    ['an id as Python writes it', `{"id": "one", ${rest}`, `{"id": "two", ${rest}`],
    ['an empty id', `{"id":"one",${rest}`, `{"id":"",${rest}`],
    ['no id', `{${rest}`, `{${rest}`],
  ])('with %s gives its own id and bytes, and all else alike', (_, first, second) => {
    const heads = new ParsedHeaderCache();
    expect(heads.read(body(first, 1, 2, 3, 4, 5, 6, 7, 8), first.length)).toBeUndefined();
    heads.keep(body(first, 1, 2, 3, 4, 5, 6, 7, 8), first.length, parsed(first, 1, 2, 3, 4, 5, 6, 7, 8));
    const known = heads.read(body(second, 8, 7, 6, 5, 4, 3, 2, 1), second.length);
    const fresh = parsed(second, 8, 7, 6, 5, 4, 3, 2, 1);
    expect(known).toEqual(fresh);
    expect(known?.id).toBe(JSON.parse(second).id || undefined);
    expect(known?.inputs.get('b')?.bytes).toEqual(Buffer.from([4, 3, 2, 1]));
    expect(known?.timeoutMs).toBe(fresh.timeoutMs);
  });

  test.each([
    ['an id that is escaped', `{"id":"a\\u0062",${rest}`],
    ['an id that is not ASCII', `{"id":"ä",${rest}`],
    ['an id behind the inputs', `{"inputs":${inputs},"id":"one"}`],
    ['two ids', `{"id":"one","inputs":${inputs},"id":"one"}`],
    ['a second id that is escaped', `{"id":"one","inputs":${inputs},"\\u0069d":"one"}`],
    [
      'values in the JSON',
      `{"inputs":${JSON.stringify([{ ...tensor('a'), parameters: {}, data: [1] }, tensor('b', 8)])}}`,
    ],
  ])('is read each time where it has %s', (_, head) => {
    const heads = new ParsedHeaderCache();
    const whole = body(head, 1, 2, 3, 4, 5, 6, 7, 8);
    heads.keep(whole, Buffer.byteLength(head), parsed(head, 1, 2, 3, 4, 5, 6, 7, 8));
    expect(heads.read(whole, Buffer.byteLength(head))).toBeUndefined();
  });

  test.each([
    ['another name', rest.replace('"a"', '"c"'), 8],
    ['another size', rest.replace('"binary_data_size":4', '"binary_data_size":3'), 8],
    ['a byte too few', rest, 7],
    ['a byte too many', rest, 9],
  ])('is not taken for one with %s', (_, other, bytes) => {
    const heads = new ParsedHeaderCache();
    const first = `{"id":"one",${rest}`;
    heads.keep(body(first, ...Array(8).fill(0)), first.length, parsed(first, ...Array(8).fill(0)));
    const second = `{"id":"one",${other}`;
    expect(heads.read(body(second, ...Array(bytes).fill(0)), second.length)).toBeUndefined();
  });

  test('is forgotten when eight others came since', () => {
    const heads = new ParsedHeaderCache();
    const head = (number: number) => `{"inputs":${JSON.stringify([tensor(`f${number}`)])}}`;
    const read = (number: number) => heads.read(body(head(number), 1, 2, 3, 4), head(number).length);
    for (let number = 0; number < 9; number += 1)
      heads.keep(body(head(number), 1, 2, 3, 4), head(number).length, parsed(head(number), 1, 2, 3, 4));
    expect([read(0), read(1)?.inputs.size, read(8)?.inputs.size]).toEqual([undefined, 1, 1]);
  });
});
