import { readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contractSchema } from '../../../domain/data/contract.js';
import { isLongerThan } from '../../../domain/text/plain-text.js';
import { openSalesBench, rulesOf, salesDefinition, theIssue, type SalesBench } from './sales-fixture.js';

let bench: SalesBench;
beforeAll(async () => {
  bench = await openSalesBench();
});
afterAll(async () => {
  await bench.close();
});

describe('good data', () => {
  it('is valid, shaped and summarised', async () => {
    const { report, file, profile } = await bench.validate();
    expect(report).toEqual({
      model: 'returns',
      partition: '2024-02',
      outcome: 'valid',
      rows: 90,
      issues: [],
      notes: [],
    });
    expect(file).toMatchObject({ rows: 90, positives: 30 });
    expect(profile?.map(({ name }) => name)).toEqual(['age', 'amount', 'product', 'rain', 'size', 'store', 'weekday']);
    // By numpy.quantile(numpy.float32(numpy.arange(90) * 1.1), [.1, .5, .9]).
    const amount = profile?.find(({ name }) => name === 'amount');
    expect(amount?.deciles.map((value) => Number(value.toFixed(4)))).toEqual([
      9.79, 19.58, 29.37, 39.16, 48.95, 58.74, 68.53, 78.32, 88.11,
    ]);
    expect(profile?.find(({ name }) => name === 'store')?.topLevels).toEqual(
      ['A', 'B', 'C'].map((level) => ({ level, rows: 30 })),
    );
  });

  it('leaves no temporary file behind, whether the data is good or bad', async () => {
    const workDir = path.join(bench.folder, 'clean');
    const { file } = await bench.validate({}, { workDir });
    await bench.validate({ sales: [] }, { workDir });
    await bench.validate(
      { sales: [await bench.write('negative', 'SELECT * REPLACE (-1.0 AS amount) FROM sales')] },
      { workDir },
    );
    expect(await readdir(workDir)).toEqual([path.basename(file?.path ?? '')]);
  });

  it('may have integers stored as whole floats, times as ISO text with an offset, and NaN for missing numbers', async () => {
    const sales = await bench.write(
      'loose',
      'SELECT * REPLACE (CAST(id AS DOUBLE) AS id, strftime(sold_at + INTERVAL 2 HOUR, ' +
        `'%Y-%m-%dT%H:%M:%S+02:00') AS sold_at) FROM sales`,
    );
    const weather = await bench.write(
      'nan',
      `SELECT * REPLACE (CASE WHEN rain = 0 THEN 'nan'::DOUBLE ELSE rain END AS rain) FROM weather`,
    );
    const plain = await bench.validate();
    const loose = await bench.validate({ sales: [sales] });
    expect(loose.report.issues).toEqual([]);
    expect(loose.file?.sha256).toBe(plain.file?.sha256);
    const nan = await bench.validate({ weather: [weather] });
    expect(nan.report.outcome).toBe('valid');
    expect(nan.profile?.find(({ name }) => name === 'rain')?.nulls).toBeGreaterThan(0);
  });
});

describe('files', () => {
  it('a truncated, a garbage and a zero-byte file are each named as unreadable, and the rest is still checked', async () => {
    const whole = await readFile(await bench.write('whole', 'FROM sales'));
    const truncated = path.join(bench.folder, 'truncated.parquet');
    const garbage = path.join(bench.folder, 'garbage.parquet');
    const zero = path.join(bench.folder, 'zero.parquet');
    await writeFile(truncated, whole.subarray(0, whole.length >> 1));
    await writeFile(garbage, 'PAR1 this is not Parquet PAR1');
    await writeFile(zero, '');
    const result = await bench.validate({
      sales: [truncated, garbage, zero],
      stores: [await bench.write('stores-twice', 'FROM stores UNION ALL FROM stores')],
    });
    const unreadable = result.report.issues.filter(({ rule }) => rule === 'unreadable-file');
    expect(unreadable.map(({ table }) => table)).toEqual(['sales', 'sales', 'sales']);
    for (const name of ['truncated.parquet', 'garbage.parquet', 'zero.parquet'])
      expect(unreadable.some(({ message }) => message.startsWith(name))).toBe(true);
    expect(theIssue(result, 'duplicate-key').table).toBe('stores');
    expect(result.file).toBeUndefined();
  });

  it('a file whose footer is whole and whose pages are damaged is unreadable', async () => {
    const bytes = await readFile(await bench.write('pages', 'FROM sales'));
    bytes.fill(0xff, 4, bytes.length >> 1);
    const damaged = path.join(bench.folder, 'damaged.parquet');
    await writeFile(damaged, bytes);
    expect(theIssue(await bench.validate({ sales: [damaged] }), 'unreadable-file')).toMatchObject({ table: 'sales' });
  });

  it('no file of a partitioned join is a missing table', async () => {
    const result = await bench.validate({ weather: [] });
    expect(rulesOf(result)).toEqual(['missing-table']);
    expect(theIssue(result, 'missing-table').table).toBe('weather');
  });

  it('an empty month and a month without labels are empty partitions', async () => {
    const empty = await bench.validate({ sales: [await bench.write('empty', 'FROM sales LIMIT 0')] });
    expect(rulesOf(empty)).toEqual(['empty-partition']);
    expect(theIssue(empty, 'empty-partition')).toMatchObject({ table: 'sales', rows: 0 });
  });

  it('a missing column is named with its table and file, and what does not need it is still checked', async () => {
    const file = await bench.write('columnless', "SELECT * EXCLUDE (amount) REPLACE ('Z' AS store) FROM sales");
    const result = await bench.validate({ sales: [file] });
    expect(theIssue(result, 'missing-column')).toMatchObject({ table: 'sales', column: 'amount' });
    expect(theIssue(result, 'missing-column').message).toContain('columnless.parquet');
    expect(theIssue(result, 'unknown-level')).toMatchObject({ column: 'store', rows: 90 });
  });
});

describe('types', () => {
  it('text where numbers belong is a wrong type with rows and examples', async () => {
    const result = await bench.validate({
      sales: [await bench.write('text', `SELECT * REPLACE ('about ' || amount AS amount) FROM sales`)],
    });
    const issue = theIssue(result, 'wrong-type');
    expect(issue).toMatchObject({ table: 'sales', column: 'amount', rows: 90 });
    expect(issue.message).toContain('VARCHAR');
    expect(issue.examples).toHaveLength(20);
    expect(issue.examples[0]).toEqual({ id: '0', amount: 'about 0.0' });
    expect(rulesOf(result)).toEqual(['wrong-type']);
  });

  it('a fraction among whole numbers, and a time that is not one, are reported with the row', async () => {
    const fraction = await bench.validate({
      sales: [
        await bench.write(
          'fraction',
          'SELECT * REPLACE (CASE id WHEN 7 THEN 2024.5 ELSE year END::DOUBLE AS year) FROM sales',
        ),
      ],
    });
    expect(theIssue(fraction, 'wrong-type')).toMatchObject({
      column: 'year',
      rows: 1,
      examples: [{ id: '7', year: '2024.5' }],
    });
    const time = await bench.validate({
      sales: [
        await bench.write(
          'time',
          `SELECT * REPLACE (CASE id WHEN 3 THEN 'yesterday' WHEN 4 THEN '2024-02-31' ELSE sold_at::VARCHAR ` +
            'END AS sold_at) FROM sales',
        ),
      ],
    });
    expect(theIssue(time, 'wrong-type')).toMatchObject({
      table: 'sales',
      column: 'sold_at',
      rows: 2,
      examples: [
        { id: '3', sold_at: 'yesterday' },
        { id: '4', sold_at: '2024-02-31' },
      ],
    });
  });

  it('numbers where text belongs are a wrong type, and each file is judged on its own', async () => {
    const first = await bench.write('half-a', 'FROM sales WHERE id < 45');
    const second = await bench.write('half-b', 'SELECT * REPLACE (1 AS product) FROM sales WHERE id >= 45');
    const issue = theIssue(await bench.validate({ sales: [first, second] }), 'wrong-type');
    expect(issue).toMatchObject({ table: 'sales', column: 'product', rows: 45 });
    expect(issue.message).toContain('half-b.parquet');
  });
});

describe('rows', () => {
  it('duplicated rows are counted with their keys', async () => {
    const result = await bench.validate({
      sales: [await bench.write('twice', 'FROM sales UNION ALL FROM sales WHERE id IN (5, 6)')],
    });
    expect(rulesOf(result)).toEqual(['duplicate-key']);
    expect(theIssue(result, 'duplicate-key')).toMatchObject({
      table: 'sales',
      rows: 4,
      examples: [
        { id: '5', rows: '2' },
        { id: '6', rows: '2' },
      ],
    });
  });

  it('rows of another month are counted and shown', async () => {
    const file = await bench.write(
      'march',
      'SELECT * REPLACE (CASE WHEN id < 3 THEN 3 ELSE month END AS month) FROM sales',
    );
    const issue = theIssue(await bench.validate({ sales: [file] }), 'wrong-partition');
    expect(issue).toMatchObject({ table: 'sales', column: 'month', rows: 3 });
    expect(issue.examples[0]).toEqual({ id: '0', year: '2024', month: '3' });
  });

  it('a row of another partition by its event time is found where a cadence is declared, in its zone to the instant', async () => {
    const daily = {
      ...salesDefinition,
      data: { ...salesDefinition.data, cadence: 'day' as const, timeZone: 'America/New_York' },
    };
    // 10 March 2013 has 23 hours in New York: it ends at 04:00 UTC, and began at 05:00.
    const at = (times: string[]) =>
      `SELECT * REPLACE (1 + id % 12 AS month, [${times.map((time) => `TIMESTAMP '${time}'`).join(', ')}]` +
      `[1 + id % ${times.length}] AS sold_at) FROM sales`;
    const validate = async (name: string, times: string[]) =>
      bench.validate({ sales: [await bench.write(name, at(times))] }, { definition: daily, partition: '2013-03-10' });
    const within = await validate('own-day', ['2013-03-10 05:00:00', '2013-03-11 03:59:59.999999']);
    expect(rulesOf(within)).toEqual([]);
    const beyond = await validate('other-day', [
      '2013-03-10 04:59:59.999999',
      '2013-03-10 12:00:00',
      '2013-03-11 04:00:00',
    ]);
    expect(theIssue(beyond, 'wrong-partition')).toMatchObject({
      column: 'sold_at',
      rows: 60,
      message: expect.stringContaining('begins 2013-03-10 05:00 UTC and ends before 2013-03-11 04:00 UTC') as string,
    });
  });

  it('a join that multiplies rows names the table, the keys and the base rows; later counts are of base rows', async () => {
    const weather = await bench.write(
      'weather-twice',
      `FROM weather UNION ALL FROM weather WHERE store = 'A' AND sold_at = TIMESTAMP '2024-02-01'`,
    );
    const result = await bench.validate({ weather: [weather] });
    expect(rulesOf(result)).toEqual(['join-multiplies-rows']);
    expect(theIssue(result, 'join-multiplies-rows')).toMatchObject({
      table: 'weather',
      rows: 1,
      examples: [{ store: 'A', sold_at: '2024-02-01T00:00:00Z', rows: '2' }],
    });
    expect(result.report.rows).toBe(90);
  });

  it('repeated rows that nothing joins do no harm', async () => {
    const weather = await bench.write(
      'weather-unmatched',
      `FROM weather UNION ALL SELECT 'Z', TIMESTAMP '2024-02-01', 1 FROM range(2)`,
    );
    expect((await bench.validate({ weather: [weather] })).report.outcome).toBe('valid');
  });

  it('an infinity is reported once, at its source', async () => {
    const result = await bench.validate({
      weather: [
        await bench.write(
          'inf',
          `SELECT * REPLACE (CASE WHEN rain > 1 THEN 'inf'::DOUBLE ELSE rain END AS rain) FROM weather`,
        ),
      ],
    });
    expect(rulesOf(result)).toEqual(['infinite']);
    expect(theIssue(result, 'infinite')).toMatchObject({ table: 'weather', column: 'rain' });
    const tooLarge = await bench.validate({
      weather: [await bench.write('large', 'SELECT * REPLACE (1e39 AS rain) FROM weather')],
    });
    expect(theIssue(tooLarge, 'infinite')).toMatchObject({ table: null, column: 'rain', rows: 90 });
  });

  it('NaN in a feature that may not be missing is a null, with the row', async () => {
    const file = await bench.write(
      'nan-amount',
      `SELECT * REPLACE (CASE id WHEN 8 THEN 'nan'::DOUBLE ELSE amount END AS amount) FROM sales`,
    );
    const result = await bench.validate({ sales: [file] });
    expect(rulesOf(result)).toEqual(['null']);
    expect(theIssue(result, 'null')).toMatchObject({
      table: null,
      column: 'amount',
      rows: 1,
      examples: [{ id: '8', amount: null }],
    });
  });

  it('an empty text counts as missing', async () => {
    const file = await bench.write('blank', `SELECT * REPLACE ('' AS product) FROM sales`);
    expect(theIssue(await bench.validate({ sales: [file] }), 'null')).toMatchObject({ column: 'product', rows: 90 });
  });

  it('a text is as long as it has characters, in training as in serving', async () => {
    const { contract } = salesDefinition;
    const measured = contractSchema.parse({ ...contract, features: { product: { type: 'string', maxLength: 4 } } });
    const texts = ['🍕🍕🍕', '🍕🍕🍕🍕', '🍕🍕🍕🍕🍕', 'e\u0301e\u0301', 'e\u0301e\u0301e', '👩‍👩', 'abcd', 'abcde'];
    const list = texts.map((text, id) => `(${id}, '${text}')`).join(', ');
    const file = await bench.write(
      'lengths',
      `SELECT sales.* REPLACE (v.text AS product) FROM sales JOIN (VALUES ${list}) v(id, text) USING (id)`,
    );
    const result = await bench.validate({ sales: [file] }, { definition: { ...salesDefinition, contract: measured } });
    const tooLong = theIssue(result, 'out-of-range').examples.map((example) => example.product);
    expect(tooLong).toEqual(texts.filter((text) => isLongerThan(text, 4)));
    expect(tooLong).toEqual(['🍕🍕🍕🍕🍕', 'e\u0301e\u0301e', 'abcde']);
  });

  it('values out of range, unknown closed levels and wrong months are all in one report', async () => {
    const file = await bench.write(
      'all',
      `SELECT * REPLACE (CASE id WHEN 1 THEN -5 WHEN 2 THEN 1000.5 ELSE amount END AS amount, CASE id WHEN 3
        THEN 'D' ELSE store END AS store,
         CASE id WHEN 4 THEN 2023 ELSE year END AS year) FROM sales`,
    );
    const result = await bench.validate({
      sales: [file],
      stores: [await bench.write('stores-d', `FROM stores UNION ALL VALUES ('D', 2001, 1.0)`)],
    });
    expect(rulesOf(result)).toEqual(['out-of-range', 'unknown-level', 'wrong-partition']);
    expect(theIssue(result, 'out-of-range')).toMatchObject({
      column: 'amount',
      rows: 2,
      examples: [
        { id: '1', amount: '-5.0' },
        { id: '2', amount: '1000.5' },
      ],
    });
    expect(theIssue(result, 'unknown-level')).toMatchObject({
      column: 'store',
      rows: 1,
      examples: [{ id: '3', store: 'D' }],
    });
  });
});

describe('rows that break the contract', () => {
  const dropping = (dropMaxPct: number) => ({
    definition: { ...salesDefinition, data: { ...salesDefinition.data, badRows: { dropMaxPct } } },
  });
  const fiveBad = `SELECT * REPLACE (CASE WHEN id IN (3, 7) THEN -1 WHEN id = 9 THEN 2000 ELSE amount END AS amount,
    CASE WHEN id IN (7, 80) THEN 'D' ELSE store END AS store) FROM sales UNION ALL FROM sales WHERE id = 89`;
  const droppedKeys = async (result: Awaited<ReturnType<typeof bench.validate>>) =>
    (
      await bench.connection.runAndReadAll(`SELECT id::INT AS id, broken_rules FROM '${result.dropped?.path}'`)
    ).getRowObjectsJS();

  it('are left out up to the declared share, each in the report and its keys in a file', async () => {
    const weather = await bench.write('weather-d', `FROM weather UNION ALL SELECT 'D', TIMESTAMP '1999-01-01', 0`);
    const result = await bench.validate(
      { sales: [await bench.write('five-bad', fiveBad)], weather: [weather] },
      dropping(10),
    );
    expect(result.report).toMatchObject({ outcome: 'valid', rows: 85, issues: [], dropped: { rows: 6, of: 91 } });
    expect(result.report.dropped?.issues.map(({ rule, rows }) => `${rule} ${rows}`).sort()).toEqual([
      'duplicate-key 2',
      'null 2',
      'null 2',
      'out-of-range 3',
      'unknown-level 2',
    ]);
    expect(result.file?.rows).toBe(85);
    expect(await droppedKeys(result)).toMatchObject([
      { id: 3, broken_rules: 'out-of-range amount' },
      { id: 7, broken_rules: expect.stringContaining('unknown-level store') as string },
      { id: 9 },
      { id: 80 },
      { id: 89, broken_rules: 'duplicate-key' },
      { id: 89 },
    ]);
  });

  it('beyond the share keep the partition out; what a release would use is made all the same, without them', async () => {
    for (const options of [dropping(2), {}]) {
      const result = await bench.validate(
        {
          sales: [
            await bench.write(
              'bad-amounts',
              `SELECT * REPLACE (CASE WHEN id < 9 THEN -5 ELSE amount END AS amount) FROM sales`,
            ),
          ],
        },
        options,
      );
      expect(result.report).toMatchObject({ outcome: 'invalid', rows: 81, dropped: { rows: 9, of: 90 } });
      expect(rulesOf(result)).toEqual(['out-of-range']);
      expect(result.report.notes.join()).toContain('9 of 90 labelled rows (10.00 %) break the contract');
      expect(result.file?.rows).toBe(81);
    }
  });

  it('are never left out where more is wrong than rows, or nothing would be left', async () => {
    const all = await bench.write('all-bad', 'SELECT * REPLACE (-5 AS amount) FROM sales');
    expect(await bench.validate({ sales: [all] }, dropping(100))).toMatchObject({ report: { outcome: 'invalid' } });
    expect((await bench.validate({ sales: [all] }, dropping(100))).file).toBeUndefined();
    const typed = await bench.write(
      'typed-bad',
      "SELECT * REPLACE (CASE WHEN id = 1 THEN 'x' ELSE CAST(amount AS VARCHAR) END AS amount, " +
        "'D' AS store) FROM sales",
    );
    const wrong = await bench.validate({ sales: [typed] }, dropping(100));
    expect(wrong.report.outcome).toBe('invalid');
    expect(wrong.file).toBeUndefined();
  });
});

describe('earlier partitions', () => {
  it('volume, null share and label rate are compared with them', async () => {
    const previous = [await bench.previous()];
    const few = await bench.validate({ sales: [await bench.write('few', 'FROM sales WHERE id < 30')] }, { previous });
    expect(theIssue(few, 'volume').message).toContain('0.33 times the 90 rows');
    const labels = await bench.validate(
      { sales: [await bench.write('labels', 'SELECT * REPLACE (sold_at AS returned_on) FROM sales')] },
      { previous },
    );
    expect(theIssue(labels, 'label-rate').message).toContain('100.0 % of the labels are positive, against 33.3 %');
    const nulls = await bench.validate(
      { weather: [await bench.write('nulls', 'SELECT * REPLACE (NULL::DOUBLE AS rain) FROM weather')] },
      { previous },
    );
    expect(theIssue(nulls, 'null-share')).toMatchObject({ column: 'rain', rows: 90 });
    expect(nulls.profile?.find(({ name }) => name === 'rain')?.nulls).toBe(90);
  });

  it('a partition that only misses expectations keeps its shaped file, for a person to release; one that breaks the contract does not', async () => {
    const previous = [await bench.previous()];
    const few = await bench.validate(
      { sales: [await bench.write('few-good', 'FROM sales WHERE id < 30')] },
      { previous },
    );
    expect(few.report.outcome).toBe('invalid');
    expect(few.file).toMatchObject({ rows: 30 });
    const bad = await bench.validate(
      { sales: [await bench.write('few-bad', 'SELECT * REPLACE (-1.0 AS amount) FROM sales WHERE id < 30')] },
      { previous },
    );
    expect(rulesOf(bad)).toEqual(['out-of-range', 'volume']);
    expect(bad.file).toBeUndefined();
  });

  it('a new level of an open feature is a note, not an error', async () => {
    const file = await bench.write(
      'level',
      `SELECT * REPLACE (CASE WHEN id < 2 THEN 'new' ELSE product END AS product) FROM sales`,
    );
    const { report } = await bench.validate({ sales: [file] }, { previous: [await bench.previous()] });
    expect(report).toMatchObject({ outcome: 'valid', notes: ['product has 1 new level: new (2 rows).'] });
  });
});
