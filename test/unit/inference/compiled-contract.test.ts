import { describe, expect, test } from 'vitest';
import { contractSchema } from '../../../domain/data/contract.js';
import { PerdureError } from '../../../domain/errors.js';
import { compileContract } from '../../../inference/compiled-contract.js';
import type { InputTensor } from '../../../inference/input-tensor.js';

const contract = contractSchema.parse({
  entity: ['id'],
  eventTime: 'at',
  label: { name: 'late', type: 'boolean' },
  features: {
    dep_delay: { type: 'number', min: -200, max: 3000.1 },
    temp: { type: 'number', nullable: true },
    origin: { type: 'string', levels: ['EWR', 'JFK'], closed: true },
    dest: { type: 'string', levels: ['IAH'], nullable: true, maxLength: 5 },
  },
});

const good: Record<string, Partial<InputTensor>> = {
  dep_delay: { data: [1, 2] },
  temp: { data: [3.5, null] },
  origin: { datatype: 'BYTES', data: ['EWR', 'JFK'] },
  dest: { datatype: 'BYTES', data: ['IAH', ''] },
};

function request(change: Record<string, Partial<InputTensor> | undefined> = {}): Map<string, InputTensor> {
  const inputs = new Map<string, InputTensor>();
  for (const [name, tensor] of Object.entries({ ...good, ...change })) {
    if (tensor === undefined) continue;
    inputs.set(name, {
      name,
      datatype: 'FP32',
      shape: [2, 1],
      data: undefined,
      bytes: undefined,
      ...good[name],
      ...tensor,
    });
  }
  return inputs;
}

const read = (change?: Parameters<typeof request>[0]) => compileContract(contract).readRows(request(change));

describe('a request that fits its contract', () => {
  test('becomes columns in the order asked for, else of the names, missing values NaN and empty', () => {
    expect(read()).toEqual({
      count: 2,
      columns: [
        [1, 2],
        ['IAH', ''],
        ['EWR', 'JFK'],
        [3.5, NaN],
      ],
    });
    const other = compileContract(contract, ['temp', 'dest', 'origin', 'dep_delay']).readRows(request());
    expect(other.columns.map((column) => column[0])).toEqual([3.5, 'IAH', 'EWR', 1]);
  });

  test.each(['🍕🍕🍕🍕🍕', 'M\u00e4rzz', 'Ma\u0308rz', '𝒜𝒷𝒸'])(
    'may hold %j where maxLength is 5: characters are counted, not UTF-16 units',
    (text) => {
      expect(read({ dest: { datatype: 'BYTES', data: [text, 'IAH'] } }).columns[1]).toEqual([text, 'IAH']);
      const longer = () => read({ dest: { datatype: 'BYTES', data: [text.padEnd(text.length + 6, '🍕'), 'IAH'] } });
      expect(longer).toThrow(/the string has \d+ characters/);
    },
  );

  test('may leave out what may be missing, which is then missing in every row', () => {
    expect(read({ temp: undefined, dest: undefined }).columns).toEqual([
      [1, 2],
      ['', ''],
      ['EWR', 'JFK'],
      [NaN, NaN],
    ]);
  });

  test('may have the shape [rows]', () => {
    expect(read({ temp: { shape: [2] } }).count).toBe(2);
  });

  test('may send numbers as FP64 or integers: they are rounded to FP32, as in training', () => {
    expect(read({ temp: { datatype: 'FP64', data: [0.1, 16777217] } }).columns[3]).toEqual([
      Math.fround(0.1),
      16777216,
    ]);
    expect(read({ temp: { datatype: 'INT64', data: [7, -7] } }).columns[3]).toEqual([7, -7]);
  });

  test('may carry a bound itself, although FP32 cannot hold it exactly', () => {
    const bytes = Buffer.alloc(8);
    bytes.writeFloatLE(3000.1, 0);
    bytes.writeFloatLE(-200, 4);
    expect(read({ dep_delay: { data: undefined, bytes } }).columns[0]).toEqual([Math.fround(3000.1), -200]);
  });

  test('may carry a level that an open feature does not list: it is counted', () => {
    const compiled = compileContract(contract);
    compiled.readRows(request({ dest: { data: ['IAH', 'BQN'] } }));
    expect(compiled.features.find((feature) => feature.name === 'dest')?.unseenLevels).toBe(1);
  });

  test('may say missing by a binary NaN', () => {
    const bytes = Buffer.alloc(8);
    bytes.writeFloatLE(NaN, 0);
    expect(read({ temp: { data: undefined, bytes } }).columns[3]).toEqual([NaN, 0]);
  });
});

describe('a request that does not fit its contract is refused with the feature and the remedy', () => {
  const infinity = Buffer.alloc(8);
  infinity.writeFloatLE(Infinity, 4);
  const nan = Buffer.alloc(8);
  nan.writeFloatLE(NaN, 4);
  test.each<[string, Parameters<typeof request>[0], RegExp]>([
    ['a feature is missing', { origin: undefined }, /Feature origin is missing.*all of: dep_delay, origin\./],
    [
      'all are missing but another',
      { ...Object.fromEntries(Object.keys(good).map((name) => [name, undefined])), tmp: { data: [1, 2] } },
      /Feature dep_delay is missing/,
    ],
    ['a feature is unknown', { tmp: { data: [1, 2] } }, /"tmp" is not a feature/],
    ['rows differ', { temp: { shape: [1, 1], data: [1] } }, /temp has 1 rows, but dep_delay has 2/],
    ['the shape is wide', { temp: { shape: [1, 2], data: [1, 2] } }, /temp has the shape \[1,2\]/],
    ['the shape is deep', { temp: { shape: [2, 1, 1] } }, /temp has the shape/],
    ['the shape is a scalar', { temp: { shape: [] } }, /temp has the shape \[\]/],
    ['data and shape disagree', { temp: { data: [1, 2, 3] } }, /temp has 3 values/],
    [
      'bytes and shape disagree',
      { temp: { data: undefined, bytes: Buffer.alloc(7) } },
      /feature temp has 7 bytes, but 2 values of FP32 are 8/,
    ],
    [
      'a number comes as BYTES',
      { temp: { datatype: 'BYTES', data: ['1', '2'] } },
      /temp is a number, but its datatype is "BYTES"/,
    ],
    [
      'a string comes as FP32',
      { origin: { datatype: 'FP32', data: [1, 2] } },
      /origin is a string, but its datatype is "FP32"/,
    ],
    ['a value is no number', { temp: { data: [1, '2'] } }, /temp, row 1: "2" is not a number/],
    ['a value is an object', { temp: { data: [1, {}] } }, /temp, row 1: \{\} is not a number/],
    ['an integer is none', { temp: { datatype: 'INT32', data: [1, 2.5] } }, /temp, row 1: 2.5 is not an integer/],
    ['a value overflows FP32', { temp: { data: [1, 1e39] } }, /temp, row 1: 1e\+39 is not a finite FP32 number/],
    ['a value is infinite', { temp: { data: undefined, bytes: infinity } }, /temp, row 1: Infinity is not a finite/],
    ['null where none may be', { dep_delay: { data: [null, 1] } }, /dep_delay, row 0: the value is missing/],
    ['NaN where none may be', { dep_delay: { data: undefined, bytes: nan } }, /dep_delay, row 1: the value is missing/],
    [
      'a value is above its range',
      { dep_delay: { data: [1, 3001] } },
      /dep_delay, row 1: 3001 is outside its range -200 … 3000.1/,
    ],
    ['a value is below its range', { dep_delay: { data: [-201, 1] } }, /dep_delay, row 0: -201 is outside its range/],
    [
      'a closed level is unknown',
      { origin: { data: ['EWR', 'BOS'] } },
      /origin, row 1: "BOS" is not one of its levels. Send one of: EWR, JFK/,
    ],
    ['a string is empty where none may be', { origin: { data: ['EWR', ''] } }, /origin, row 1: the value is missing/],
    [
      'a string is too long',
      { dest: { data: ['IAH', 'ABCDEF'] } },
      /dest, row 1: the string has 6 characters. Send at most 5/,
    ],
    ['a string is a number', { dest: { data: ['IAH', 7] } }, /dest, row 1: 7 is not a string/],
    [
      'there are no rows',
      Object.fromEntries(Object.keys(good).map((name) => [name, { shape: [0, 1], data: [] }])),
      /dep_delay has 0 rows/,
    ],
    [
      'there are too many rows',
      Object.fromEntries(Object.keys(good).map((name) => [name, { shape: [10_001, 1], data: [] }])),
      /1 to 10,000 rows/,
    ],
  ])('when %s', (_, change, message) => {
    let thrown: unknown;
    try {
      read(change);
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(PerdureError);
    expect(thrown).toMatchObject({ code: 'input/invalid', message: expect.stringMatching(message) });
  });
});

test('the sample row satisfies the contract that it was made from', () => {
  const compiled = compileContract(contract);
  const inputs = new Map(
    compiled.features.map(({ name, type }, index) => [
      name,
      {
        name,
        datatype: type === 'number' ? 'FP32' : 'BYTES',
        shape: [1, 1],
        data: [compiled.sampleRow[index]],
        bytes: undefined,
      },
    ]),
  );
  expect(compiled.readRows(inputs).count).toBe(1);
});
