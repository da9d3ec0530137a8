import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inputTensors } from '../../../../cli/rows/input-tensors.js';
import { labelKindOf, labelOfRow, type LabelKind } from '../../../../cli/rows/label-rows.js';
import { readRows, type Row } from '../../../../cli/rows/read-rows.js';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'perdure-rows-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function all(file: string, batchRows = 2): Promise<Row[][]> {
  const batches: Row[][] = [];
  for await (const batch of readRows(file, batchRows)) batches.push(batch);
  return batches;
}

describe('rows of a file', () => {
  const rows = [
    { carrier: 'UA', dep_delay: 3 },
    { carrier: 'AA', dep_delay: null },
    { carrier: 'B6', dep_delay: -4.5 },
  ];

  test('JSON comes in batches of the size asked for', async () => {
    const file = path.join(folder, 'rows.json');
    await writeFile(file, JSON.stringify(rows));
    expect(await all(file)).toEqual([rows.slice(0, 2), rows.slice(2)]);
  });

  test('CSV cells are the texts that stand there, empty ones missing; nothing is guessed', async () => {
    const file = path.join(folder, "rows'.csv");
    const cells = [
      'yes',
      '1.10',
      '2E3',
      '2024-02-14',
      '007',
      'NULL',
      'NA',
      'TRUE',
      '1,5',
      ' x ',
      'März',
      '🍕',
      'say "hi"',
      'two\r\nlines',
      '1e400',
    ];
    const written = cells.map((cell, index) => `${index},"${cell.replaceAll('"', '""')}"`).join('\r\n');
    await writeFile(file, `\ufeffid,text\r\n${written}\r\n\r\n99,\r\n98,""\n97,bare`);
    const read = (await all(file)).flat();
    expect(read.map((row) => row.text)).toEqual([...cells, null, null, 'bare']);
    expect(read[4]).toEqual({ id: '4', text: '007' });
  });

  test.each([
    ['semicolon', 'a;b\n1,5;x\n', [{ a: '1,5', b: 'x' }]],
    ['tab', 'a\tb\n1;5\tx\n', [{ a: '1;5', b: 'x' }]],
    ['quoted name', '"a, b",c\n1,2', [{ 'a, b': '1', c: '2' }]],
    ['one column', 'a\n1\n\n2\n', [{ a: '1' }, { a: null }, { a: '2' }]],
    ['no row', 'a,b\n', []],
    ['nothing', '', []],
    [
      'names that JavaScript knows',
      'constructor,__proto__\n1,2\n',
      [
        Object.fromEntries([
          ['constructor', '1'],
          ['__proto__', '2'],
        ]),
      ],
    ],
  ])('a CSV file with %s is read', async (name, content, rows) => {
    const file = path.join(folder, `${name}.csv`);
    await writeFile(file, content);
    expect((await all(file)).flat()).toEqual(rows);
  });

  test.each([
    ['twice', 'a,b,a\n1,2,3\n', /line 1: two columns are named "a"/],
    ['padded', 'a, b\n1,2\n', /line 1: the name " b"/],
    ['short', 'a,b\n1,2\n3\n', /line 3: it has 1 cells, but the header has 2 names/],
    ['unclosed', 'a,b\n1,"2\n3,4\n', /line 2: a quote is opened/],
    ['within', 'a,b\n1,x"y"\n', /line 2: an unquoted cell contains a quote/],
    ['after', 'a,b\n1,"x"y\n', /line 2: unexpected text after a closing quote/],
    ['latin1', Buffer.from('a,b\nM\xe4rz,1\n', 'latin1'), /is not UTF-8/],
  ])('a CSV file that is wrong (%s) is refused, with the line', async (name, content, message) => {
    const file = path.join(folder, `wrong-${name}.csv`);
    await writeFile(file, content);
    await expect(all(file)).rejects.toThrow(message);
  });

  test('Parquet gives integers as numbers, times with a zone only where they have one, and types that JSON lacks as objects', async () => {
    const file = path.join(folder, 'rows.parquet');
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    await connection.run(
      `copy (select 7::bigint as flight, timestamptz '2013-01-02 03:04:05+02' as observed_at, timestamp ` +
        `'2013-01-02 03:04:05' as "local", 1.5::decimal(5,2) as price, [1] as list) to '${file}'`,
    );
    const [row] = (await all(file)).flat();
    expect(row).toMatchObject({
      flight: 7,
      observed_at: '2013-01-02T01:04:05.000000Z',
      local: '2013-01-02T03:04:05',
      price: 1.5,
    });
    expect(typeof row?.list).toBe('object');
  });

  test.each([
    'rows[1].csv',
    'rows*.csv',
    'rows?.csv',
    'store=5/rows.csv',
    '[a]*?/März 🍕 100%20+.csv',
    'rows[1].parquet',
    'store=5/rows*.parquet',
    '*/[1]?.parquet',
  ])('%s is that file and no other, and no folder is a column', async (name) => {
    const file = path.join(folder, 'paths', name);
    await mkdir(path.dirname(file), { recursive: true });
    const write = async (target: string, store: number) => {
      if (target.endsWith('.csv')) return writeFile(target, `store\n${store}\n`);
      const connection = await (await DuckDBInstance.create(':memory:')).connect();
      await connection.run(`copy (select ${store} as store) to '${target}' (format parquet)`);
    };
    await write(file, 1);
    for (const decoy of ['rows1', 'rows2', 'rowsx', '1x'])
      await write(path.join(path.dirname(file), decoy + path.extname(name)), 9);
    expect((await all(file)).flat().map((row) => Number(row.store))).toEqual([1]);
  });

  test.each([
    ['not.json', '{"a": ', /cannot be read as JSON/],
    ['object.json', '{"a": 1}', /array of objects/],
    ['cut.parquet', 'PAR1', /cannot be read/],
    ['rows.txt', 'a', /\.json, \.csv or \.parquet/],
  ])('%s is refused by name', async (name, content, message) => {
    const file = path.join(folder, name);
    await writeFile(file, content);
    await expect(all(file)).rejects.toThrow(message);
    await expect(all(file)).rejects.toThrow(name);
  });
});

describe('tensors for the gateway', () => {
  const model = {
    name: 'flight-delay',
    inputs: [
      { name: 'carrier', datatype: 'BYTES', shape: [-1, 1] },
      { name: 'dep_delay', datatype: 'FP32', shape: [-1, 1] },
    ],
    outputs: [],
  };

  test('one per input in the order of the model; other columns are left out, missing values are null', () => {
    expect(
      inputTensors(
        model,
        [
          { dep_delay: 3, carrier: 'UA', id: 1 },
          { dep_delay: null, carrier: null },
        ],
        { firstRow: 0, texts: false },
      ),
    ).toEqual([
      { name: 'carrier', datatype: 'BYTES', shape: [2, 1], data: ['UA', null] },
      { name: 'dep_delay', datatype: 'FP32', shape: [2, 1], data: [3, null] },
    ]);
  });

  test('a missing column and a wrong type are refused with the row of the file and the column', () => {
    expect(() => inputTensors(model, [{ carrier: 'UA' }], { firstRow: 500, texts: false })).toThrow(
      'Row 501: dep_delay is missing',
    );
    expect(() => inputTensors(model, [{ carrier: 'UA', dep_delay: 'late' }], { firstRow: 0, texts: false })).toThrow(
      'Row 1: dep_delay is "late"; expected a number',
    );
  });

  const tensor = (column: 'carrier' | 'dep_delay', value: unknown, texts: boolean) =>
    inputTensors(model, [{ carrier: 'UA', dep_delay: 1, [column]: value }], { firstRow: 0, texts }).find(
      ({ name }) => name === column,
    )?.data[0];

  test.each(['yes', '1.10', '2E3', '2024-02-14', '007', 'NULL', 'NA', 'true', ' x '])(
    'a text %j stays that text',
    (text) => {
      expect(tensor('carrier', text, true)).toBe(text);
      expect(tensor('carrier', text, false)).toBe(text);
    },
  );

  test.each([
    ['1.10', 1.1],
    ['2E3', 2000],
    ['-0.5', -0.5],
    ['.5', 0.5],
    ['+7', 7],
    [' 3 ', 3],
    ['007', 7],
  ])('a cell %j is a number where one is asked for', (text, number) => {
    expect(tensor('dep_delay', text, true)).toBe(number);
    expect(() => tensor('dep_delay', text, false)).toThrow('expected a number');
  });

  test.each(['NA', 'NULL', 'nan', 'inf', '1,234', '1_000', '0x10', '1e', 'true', '2024-02-14', '-'])(
    'a cell %j is no number',
    (text) => {
      expect(() => tensor('dep_delay', text, true)).toThrow(/Row 1: dep_delay is .*leave the cell empty/);
    },
  );

  test('what would become another value on the way is refused', () => {
    expect(() => tensor('dep_delay', '1e400', true)).toThrow('infinite or out of range');
    expect(() => tensor('dep_delay', Infinity, false)).toThrow('infinite or out of range');
    expect(() => tensor('dep_delay', true, false)).toThrow('expected a number');
    expect(() => tensor('carrier', 1.1, false)).toThrow('is 1.1; expected a string: write "1.1"');
    expect(() => tensor('carrier', 'a\0b', false)).toThrow('NUL');
    expect(tensor('dep_delay', NaN, false)).toBeNull();
  });
});

describe('rows with features of every type', () => {
  const model = {
    name: 'members',
    inputs: [
      { name: 'id', datatype: 'INT64', shape: [-1, 1] },
      { name: 'member', datatype: 'BOOL', shape: [-1, 1] },
      { name: 'seen', datatype: 'INT64', shape: [-1, 1] },
      { name: 'place', datatype: 'FP32', shape: [-1, 2] },
      { name: 'tags', datatype: 'BYTES', shape: [-1, 3] },
    ],
    outputs: [],
  };
  const dataOf = async (file: string) => {
    const [rows = []] = await all(file);
    return inputTensors(model, rows, { firstRow: 0, texts: file.endsWith('.csv') }).map(({ data }) => data);
  };
  const expected = [
    ['9007199254740993', 7],
    [true, null],
    ['2024-02-01T00:00:00.000001', null],
    [[0.5, 1], null],
    [['b', ''], []],
  ];

  test('are the same from Parquet, JSON and CSV, every digit of an integer kept', async () => {
    const [parquet, json, csv] = ['parquet', 'json', 'csv'].map((kind) => path.join(folder, `typed.${kind}`));
    const connection = await (await DuckDBInstance.create(':memory:')).connect();
    await connection.run(`COPY (SELECT * FROM (VALUES
      (9007199254740993, true, TIMESTAMP '2024-02-01 00:00:00.000001', [0.5, 1]::FLOAT[], ['b', '']),
      (7, NULL, NULL, NULL, []::VARCHAR[])) rows(id, member, seen, place, tags)) TO '${parquet}'`);
    connection.closeSync();
    await writeFile(
      json ?? '',
      `[{"id": 9007199254740993, "member": true, "seen": "2024-02-01T00:00:00.000001",
        "place": [0.5, 1], "tags": ["b", ""]},
        {"id": 7, "member": null, "seen": null, "place": null, "tags": []}]`,
    );
    await writeFile(
      csv ?? '',
      [
        'id,member,seen,place,tags',
        '9007199254740993,TRUE,2024-02-01T00:00:00.000001,"[0.5, 1]","[""b"", """"]"',
        '7,,,,[]\n',
      ].join('\n'),
    );
    for (const file of [parquet, json, csv]) expect(await dataOf(file ?? '')).toEqual(expected);
  });

  test.each([
    ['id', 1.5, 'expected a whole number of 64 bits'],
    ['id', 'x', 'expected a whole number of 64 bits'],
    ['member', 1, 'expected true or false'],
    ['id', [1], 'is a list; expected one value'],
    ['place', ['a', 1], 'expected a number'],
  ])('a wrong value of %s is refused', (column, value, message) => {
    const row = { id: 1, member: true, seen: null, place: null, tags: null, [column]: value };
    expect(() => inputTensors(model, [row], { firstRow: 0, texts: false })).toThrow(`Row 1: ${column} is`);
    expect(() => inputTensors(model, [row], { firstRow: 0, texts: false })).toThrow(message);
  });
});

describe('labels of a file', () => {
  const read = (row: Row, file: string, kind: LabelKind = 'number') =>
    labelOfRow({ prediction_id: '007', label: true, observed_at: '2013-04-01T12:00:00Z', ...row }, file, 0, kind);

  test.each([
    ['true', true],
    ['TRUE', true],
    ['False', false],
    ['1', 1],
    ['0', 0],
    ['-2.5e3', -2500],
  ])('a CSV cell %j is the label %j, and the id stays the text that it is', (label, value) => {
    expect(read({ label }, 'labels.csv')).toMatchObject({ prediction_id: '007', label: value });
    expect(() => read({ label }, 'labels.json')).toThrow('label: must be true, false or a number');
  });

  test('names of classes stay the texts that they are', () => {
    for (const label of ['setosa', '1', 'true'])
      for (const file of ['labels.csv', 'labels.json']) expect(read({ label }, file, 'text')).toMatchObject({ label });
    expect(() => read({ label: 1 }, 'labels.json', 'text')).toThrow('label: must be the name of a class');
    const output = (datatype: string) => ({ outputs: [{ name: 'label', datatype, shape: [-1] }] });
    expect([labelKindOf(output('BYTES')), labelKindOf(output('INT64'))]).toEqual(['text', 'number']);
  });

  test.each([
    [{ label: 'yes' }, 'labels.csv', 'label'],
    [{ label: '' }, 'labels.csv', 'label'],
    [{ label: null }, 'labels.csv', 'label'],
    [{ label: [1] }, 'labels.parquet', 'label'],
    [{ prediction_id: 7 }, 'labels.json', 'prediction_id'],
    [{ prediction_id: null }, 'labels.csv', 'prediction_id'],
    [{ prediction_id: 'a\0' }, 'labels.json', 'prediction_id: holds the character NUL'],
    [{ observed_at: '2013-04-01T12:00:00' }, 'labels.parquet', 'observed_at: must be an ISO 8601 time with its zone'],
    [{ observed_at: '2013-04-01 12:00' }, 'labels.csv', 'observed_at'],
    [{ observed_at: '2013-04-01' }, 'labels.csv', 'observed_at'],
  ])('%j of %s is refused with its row and column', (row, file, message) => {
    expect(() => read(row, file)).toThrow(new RegExp(`${file}, row 1: .*${message}`));
  });
});
