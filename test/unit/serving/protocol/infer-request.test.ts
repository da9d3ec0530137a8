import { describe, expect, test } from 'vitest';
import { parseInferRequest } from '../../../../serving/protocol/infer-request.js';
import { readBinaryNumbers, readBinaryStrings, numberReader } from '../../../../inference/tensor-values.js';

const json = (value: unknown) => Buffer.from(JSON.stringify(value));
const parseJson = (value: unknown) => parseInferRequest(json(value), undefined);
const tensor = { name: 'temp', shape: [2, 1], datatype: 'FP32', data: [1, 2] };

/** JSON and raw bytes, as a client of the binary extension sends them. */
function binary(value: unknown, ...tensors: number[][]): { body: Buffer; length: string } {
  const head = json(value);
  return { body: Buffer.concat([head, ...tensors.map((bytes) => Buffer.from(bytes))]), length: String(head.length) };
}

describe('an inference request in JSON', () => {
  test('gives its tensors, flat or nested', () => {
    const nested = { ...tensor, name: 'dewp', data: [[1], [2]] };
    const { inputs, id, outputs, binaryOutputs } = parseJson({ id: 'a', inputs: [tensor, nested] });
    expect(inputs.get('temp')?.data).toEqual([1, 2]);
    expect(inputs.get('dewp')?.data).toEqual([1, 2]);
    expect({ id, outputs, binaryOutputs }).toEqual({ id: 'a', outputs: undefined, binaryOutputs: false });
  });

  test.each([
    ['no JSON', Buffer.from('{"inputs": [NaN]}'), /not JSON.*null/s],
    ['nothing', Buffer.alloc(0), /not JSON/],
    ['no UTF-8', Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), /not UTF-8/],
    ['an array', json([]), /not a JSON object/],
    ['no inputs', json({}), /no inputs/],
    ['inputs that are no array', json({ inputs: {} }), /no inputs/],
    ['an input that is no object', json({ inputs: [1] }), /inputs\[0\]/],
    ['a nameless input', json({ inputs: [{ ...tensor, name: '' }] }), /inputs\[0\] has no name/],
    ['an input twice', json({ inputs: [tensor, tensor] }), /"temp" is sent twice/],
    ['no datatype', json({ inputs: [{ ...tensor, datatype: undefined }] }), /"temp" has no datatype/],
    ['a shape that is none', json({ inputs: [{ ...tensor, shape: [-1, 1] }] }), /"temp" has the shape \[-1,1\]/],
    ['no data', json({ inputs: [{ ...tensor, data: undefined }] }), /"temp" has no data/],
    ['data that is no array', json({ inputs: [{ ...tensor, data: 7 }] }), /"temp" has no data/],
    ['shared memory', json({ inputs: [{ ...tensor, parameters: { shared_memory_region: 'x' } }] }), /shared memory/],
    ['an output twice', json({ inputs: [tensor], outputs: [{ name: 'label' }, { name: 'label' }] }), /requested twice/],
    [
      'classification',
      json({ inputs: [tensor], outputs: [{ name: 'label', parameters: { classification: 2 } }] }),
      /classification/,
    ],
    [
      'a byte order mark',
      Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), json({ inputs: [tensor] })]),
      /byte order mark \(BOM\)/,
    ],
    [
      'half a surrogate pair in its id',
      Buffer.from(`{"id":"a\\ud83d","inputs":[]}`),
      /field id holds half a surrogate pair at position 2/,
    ],
    ['NUL in its id', json({ id: 'a\0b', inputs: [tensor] }), /field id holds the character NUL/],
    [
      'a row without its value',
      json({ inputs: [{ ...tensor, data: [['UA', 'AA'], []] }] }),
      /"temp" are not nested as its shape \[2,1\] says: see row 0/,
    ],
    ['a row too few', json({ inputs: [{ ...tensor, data: [[1]] }] }), /not nested as/],
    ['a row that is not nested', json({ inputs: [{ ...tensor, data: [[1], 2] }] }), /not nested as.*see row 1/],
    [
      'data nested deeper than a shape of one number',
      json({ inputs: [{ ...tensor, shape: [2], data: [[1], [2]] }] }),
      /not nested as/,
    ],
    ['an id that is no string', json({ id: 7, inputs: [tensor] }), /field id/],
  ])('with %s is refused in words', (_, body, message) => {
    expect(() => parseInferRequest(body, undefined)).toThrow(message);
  });

  test('takes null for every optional member as absent', () => {
    const input = { ...tensor, parameters: { binary_data_size: null, shared_memory_region: null } };
    const absent = parseJson({ inputs: [tensor] });
    expect(parseJson({ id: null, outputs: null, parameters: null, inputs: [input] })).toEqual(absent);
    expect(
      parseJson({ parameters: { timeout: null, binary_data_output: null }, inputs: [{ ...tensor, parameters: null }] }),
    ).toEqual(absent);
    const outputs = (parameters: unknown) =>
      parseJson({ inputs: [tensor], outputs: [{ name: 'label', parameters }] }).outputs;
    expect(outputs(null)).toEqual([{ name: 'label', binary: undefined }]);
    expect(outputs({ binary_data: null, classification: null, shared_memory_region: null })).toEqual([
      { name: 'label', binary: undefined },
    ]);
  });

  test('nested to any depth is refused, not followed', () => {
    const deep =
      `{"inputs":[{"name":"temp","shape":[1,1],"datatype":"FP32","data":` +
      `${'['.repeat(50_000)}1${']'.repeat(50_000)}}]}`;
    const { inputs } = parseInferRequest(Buffer.from(deep), undefined);
    expect(inputs.get('temp')?.data?.[0]).toBeInstanceOf(Array);
  });
});

describe('an inference request with binary tensors', () => {
  const head = (name: string, size: number) => ({
    name,
    shape: [1, 1],
    datatype: 'FP32',
    parameters: { binary_data_size: size },
  });

  test('gives each tensor its bytes, in the order of the inputs, JSON tensors between them', () => {
    const { body, length } = binary(
      { inputs: [head('a', 4), { ...tensor, name: 'b' }, head('c', 2)] },
      [1, 2, 3, 4],
      [5, 6],
    );
    const { inputs } = parseInferRequest(body, length);
    expect(inputs.get('a')?.bytes).toEqual(Buffer.from([1, 2, 3, 4]));
    expect(inputs.get('b')?.data).toEqual([1, 2]);
    expect(inputs.get('c')?.bytes).toEqual(Buffer.from([5, 6]));
  });

  test('asks for binary outputs, all or one by one', () => {
    const { body, length } = binary(
      {
        inputs: [head('a', 4)],
        parameters: { binary_data_output: true },
        outputs: [{ name: 'label', parameters: { binary_data: false } }],
      },
      [1, 2, 3, 4],
    );
    const request = parseInferRequest(body, length);
    expect(request.binaryOutputs).toBe(true);
    expect(request.outputs).toEqual([{ name: 'label', binary: false }]);
  });

  test.each([
    ['cut short', { inputs: [head('a', 4)] }, [[1, 2]], undefined, /"a" should have 4 bytes, but only 2/],
    ['with bytes behind', { inputs: [head('a', 4)] }, [[1, 2, 3, 4, 5]], undefined, /1 bytes follow/],
    ['with a size below zero', { inputs: [head('a', -1)] }, [[1]], undefined, /binary_data_size -1/],
    ['with data twice', { inputs: [{ ...head('a', 1), data: [1] }] }, [[1]], undefined, /data and binary_data_size/],
    ['with a header length beyond the body', { inputs: [] }, [], '9999', /Inference-Header-Content-Length is "9999"/],
    ['with a header length that is no number', { inputs: [] }, [], '-1', /Inference-Header-Content-Length/],
    ['with a header length that cuts the JSON', { inputs: [head('a', 4)] }, [[1, 2, 3, 4]], '10', /not JSON/],
  ])('%s is refused in words', (_, value, tensors, given, message) => {
    const { body, length } = binary(value, ...tensors);
    expect(() => parseInferRequest(body, given ?? length)).toThrow(message);
  });
});

describe('raw tensor bytes', () => {
  // Bytes made with Python: struct.pack('<' + code, value).
  test.each([
    ['FP32', [0x00, 0x00, 0xc0, 0x3f], 1.5],
    ['FP64', [0, 0, 0, 0, 0, 0, 0xf8, 0x3f], 1.5],
    ['INT8', [0xff], -1],
    ['UINT8', [0xff], 255],
    ['INT16', [0xfe, 0xff], -2],
    ['UINT16', [0xfe, 0xff], 65534],
    ['INT32', [0x15, 0xcd, 0x5b, 0x07], 123456789],
    ['UINT32', [0xff, 0xff, 0xff, 0xff], 4294967295],
    ['INT64', [0xfb, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], -5],
    ['UINT64', [5, 0, 0, 0, 0, 0, 0, 0], 5],
  ])('of %s are read little-endian', (datatype, bytes, value) => {
    const reader = numberReader(datatype);
    if (reader === undefined) throw new Error(`${datatype} is not known`);
    expect(readBinaryNumbers('temp', datatype, reader, Buffer.from(bytes), 1)).toEqual([value]);
    expect(() => readBinaryNumbers('temp', datatype, reader, Buffer.from([...bytes, 0]), 1)).toThrow(
      /feature temp has \d+ bytes/,
    );
  });

  test('of BYTES are strings behind their lengths, empty ones and other alphabets included', () => {
    const bytes = Buffer.from([2, 0, 0, 0, 0x55, 0x41, 0, 0, 0, 0, 3, 0, 0, 0, 0xe2, 0x82, 0xac]);
    expect(readBinaryStrings('carrier', bytes, 3)).toEqual(['UA', '', '€']);
  });

  test.each([
    ['ends inside a length', [2, 0], 1, /ends inside row 0/],
    ['ends inside a string', [2, 0, 0, 0, 0x55], 1, /ends inside row 0/],
    ['claims a length of 4 GiB', [0xff, 0xff, 0xff, 0xff, 0x55], 1, /ends inside row 0/],
    ['holds fewer strings', [1, 0, 0, 0, 0x55], 2, /ends inside row 1/],
    ['holds more strings', [1, 0, 0, 0, 0x55, 0], 1, /1 bytes after its 1 strings/],
    ['holds no UTF-8', [1, 0, 0, 0, 0xff], 1, /row 0: the bytes are not UTF-8/],
  ])('of BYTES that %s are refused', (_, bytes, count, message) => {
    expect(() => readBinaryStrings('carrier', Buffer.from(bytes), count)).toThrow(message);
  });

  test('of a datatype that is no number have no reader', () => {
    for (const datatype of ['BYTES', 'BOOL', 'FP16', 'toString', '__proto__'])
      expect(numberReader(datatype)).toBeUndefined();
  });
});
