import { expect, test } from 'vitest';
import { parseInferRequest } from '../../../../serving/protocol/infer-request.js';

const dataOf = (datatype: string, data: string, shape = '[1]') => {
  const json = `{"id": "12345678901234567890", "inputs": [
    {"name": "text", "datatype": "BYTES", "shape": [1], "data": ["\\"9007199254740993, -1e99\\\\"]},
    {"name": "x", "datatype": "${datatype}", "shape": ${shape}, "data": ${data}}]}`;
  return parseInferRequest(Buffer.from(json), undefined).inputs;
};

test.each([
  ['[9007199254740993]', [9_007_199_254_740_993n]],
  ['[-9223372036854775808]', [-(2n ** 63n)]],
  ['[9223372036854775807]', [2n ** 63n - 1n]],
  ['[12]', [12]],
  ['["9007199254740993"]', ['9007199254740993']],
  ['[1.2345678901234567890]', [1.2345678901234567]],
])('the integers %s keep all their digits, and nothing else of the request is touched', (text, values) => {
  const inputs = dataOf('INT64', text);
  expect(inputs.get('x')?.data).toEqual(values);
  expect(inputs.get('text')?.data).toEqual(['"9007199254740993, -1e99\\']);
});

test('nested integers keep all their digits, rows of different lengths among them', () => {
  expect(dataOf('INT64', '[[9007199254740993, 1], [2, 3]]', '[2, 2]').get('x')?.data).toEqual([
    9_007_199_254_740_993n,
    ...[1, 2, 3],
  ]);
  expect(dataOf('UINT64', '[[18446744073709551615], null]', '[2, 2]').get('x')).toMatchObject({
    nested: true,
    data: [[2n ** 64n - 1n], null],
  });
});

test('numbers of other datatypes are read as they always were', () => {
  expect(dataOf('FP64', '[9007199254740993]').get('x')?.data).toEqual([9_007_199_254_740_992]);
});
