import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contractSchema } from '../../../domain/data/contract.js';
import { readShapedRows } from '../../../adapters/data-engine/snapshot/read-shaped-rows.js';
import { openSalesBench, salesDefinition, theIssue, type SalesBench } from './sales-fixture.js';

let bench: SalesBench;
beforeAll(async () => {
  bench = await openSalesBench();
});
afterAll(async () => {
  await bench.close();
});

const withFeatures = (features: Record<string, unknown>, label: string | null = 'returned_on IS NOT NULL') => ({
  ...salesDefinition,
  contract: contractSchema.parse({
    entity: ['id'],
    eventTime: 'sold_at',
    label: { name: 'returned', type: 'boolean', ...(label === null ? {} : { from: label }) },
    features,
  }),
});

describe('the shaped file', () => {
  it('is byte-identical on repeat, on any number of threads, and whatever the order and the number of the source files', async () => {
    const first = await bench.validate();
    const bytes = await readFile(first.file?.path ?? '');
    const split = [
      await bench.write('s1', 'FROM sales WHERE id % 3 = 1 ORDER BY id DESC'),
      await bench.write('s2', 'FROM sales WHERE id % 3 = 0 ORDER BY hash(id)'),
      await bench.write('s3', 'FROM sales WHERE id % 3 = 2 ORDER BY amount % 7'),
    ];
    const weather = [await bench.write('w', 'FROM weather ORDER BY hash(sold_at, store)')];
    const stores = [await bench.write('st', 'FROM stores ORDER BY size')];
    const variants: [Record<string, string[]>, number][] = [
      [{}, 1],
      [{}, 4],
      [{ sales: split, weather, stores }, 4],
      [{ sales: [...split].reverse() }, 1],
    ];
    for (const [tableFiles, threads] of variants) {
      const again = await bench.validate(tableFiles, {
        threads,
        workDir: `${bench.folder}/again`,
      });
      expect(again.report.outcome).toBe('valid');
      expect((await readFile(again.file?.path ?? '')).equals(bytes)).toBe(true);
    }
  });

  it('holds entity, time, features in contract order and label, with their Parquet types, sorted by time', async () => {
    const { file } = await bench.validate({ sales: [await bench.write('shuffled', 'FROM sales ORDER BY hash(id)')] });
    const described = await bench.connection.runAndReadAll(
      `SELECT column_name || ' ' || column_type AS text FROM (DESCRIBE FROM read_parquet('${file?.path}'))`,
    );
    expect(described.getRowObjectsJson().map(({ text }) => text)).toEqual([
      'id BIGINT',
      'sold_at TIMESTAMP',
      'age FLOAT',
      'amount FLOAT',
      'product VARCHAR',
      'rain FLOAT',
      'size FLOAT',
      'store VARCHAR',
      'weekday FLOAT',
      'returned BOOLEAN',
    ]);
    const rows = await readShapedRows({ file: file?.path ?? '', contract: salesDefinition.contract });
    expect(rows.map(({ entity }) => Number(entity.id))).toEqual(Array.from({ length: 90 }, (_, index) => index));
    // 2024-02-01 07:00 was a Thursday; store B opened in 2010; rain of hour 7 is 0.7 as a 32-bit float.
    expect(rows[1]).toEqual({
      entity: { id: '1' },
      eventTime: '2024-02-01T07:00:00Z',
      features: {
        store: 'B',
        product: 'p1',
        amount: Math.fround(1.1),
        rain: Math.fround(0.7),
        size: 80,
        age: 14,
        weekday: 3,
      },
      label: false,
    });
    const page = await readShapedRows({
      file: file?.path ?? '',
      contract: salesDefinition.contract,
      offset: 88,
      limit: 5,
    });
    expect(page.map(({ entity }) => entity.id)).toEqual(['88', '89']);
  });

  it('leaves rows without a label out and says how many', async () => {
    const definition = withFeatures({ amount: { type: 'number' } }, 'CASE WHEN id >= 80 THEN NULL ELSE id % 2 = 0 END');
    const { report, file } = await bench.validate({}, { definition });
    expect(report).toMatchObject({
      outcome: 'valid',
      rows: 80,
      notes: ['10 of 90 rows have no label and are skipped.'],
    });
    expect(file).toMatchObject({ rows: 80, positives: 40 });
  });
});

describe('an expression', () => {
  it('sees NaN as missing: a label made from it is unknown and not true', async () => {
    const file = await bench.write(
      'nan-label',
      `SELECT * REPLACE (CASE WHEN id < 4 THEN 'nan'::DOUBLE ELSE amount END AS amount) FROM sales`,
    );
    const { report } = await bench.validate(
      { sales: [file] },
      { definition: withFeatures({ weekday: { type: 'number', from: 'isodow(sold_at)' } }, 'amount > 50') },
    );
    expect(report).toMatchObject({
      outcome: 'valid',
      rows: 86,
      notes: ['4 of 90 rows have no label and are skipped.'],
    });
  });

  it.each([
    ['amount +', 'syntax error'],
    ['nothing * 2', 'nothing is not a declared column of sales, weather, stores'],
    ['amuont * 2', 'the nearest is amount'],
    ['stores.colour', 'colour is not a declared column of stores'],
    ['rain.amount', 'rain is not a table of this model'],
    ['sales', 'sales is not a declared column'],
    ['(SELECT max(amount) FROM sales)', 'subquery is not allowed'],
    ['1) AS a, (2', 'one SQL expression'],
    ['1); SELECT (2', 'one SQL expression'],
    ['1); DROP TABLE sales; SELECT (2', 'Only SELECT'],
    ["1) FROM read_text('/etc/passwd') -- ", 'syntax error'],
    ['1) FROM (SELECT 1', 'one SQL expression'],
    ['store', 'it gives VARCHAR; it must give a number'],
    ['sqrt(store, 2)', 'No function matches'],
    ["CAST('twelve' AS DOUBLE)", 'Could not convert'],
    ["epoch(DATE '2024-02-31')", 'out of range'],
  ])('%s is an invalid definition: its place and the reason are told, and no data is judged', async (from, reason) => {
    const definition = withFeatures({ amount: { type: 'number', min: 5 }, odd: { type: 'number', from } });
    await expect(bench.validate({}, { definition })).rejects.toMatchObject({
      code: 'definition/invalid',
      message: expect.stringContaining(reason) as string,
      details: { problems: [{ path: 'contract.features.odd.from' }] },
    });
  });

  it('that fails on some rows is an issue of the data', async () => {
    const definition = withFeatures({
      amount: { type: 'number', min: 5 },
      odd: { type: 'number', from: 'CAST(product AS DOUBLE)' },
    });
    const result = await bench.validate({}, { definition });
    expect(theIssue(result, 'expression')).toMatchObject({ table: null, column: 'odd' });
    expect(theIssue(result, 'expression').message).toContain('fails on the data');
    expect(theIssue(result, 'out-of-range')).toMatchObject({ column: 'amount', rows: 5 });
    expect(result.file).toBeUndefined();
  });

  it('reads base columns bare, joined ones bare where only one table has them, and all as table.column', async () => {
    const definition = withFeatures({
      base_year: { type: 'number', from: 'year' },
      also: { type: 'number', from: 'sales.year' },
      store_year: { type: 'number', from: 'stores.year' },
      size: { type: 'number' },
      commented: { type: 'number', from: 'amount -- in euros' },
    });
    const { report, profile } = await bench.validate({}, { definition });
    expect(report.issues).toEqual([]);
    expect(Object.fromEntries((profile ?? []).map(({ name, min, max }) => [name, [min, max]]))).toMatchObject({
      base_year: [2024, 2024],
      also: [2024, 2024],
      store_year: [1999, 2020],
      size: [45.25, 120.5],
    });
  });

  it('that fails on the data for the label stops the contract checks and says so', async () => {
    const { report } = await bench.validate(
      {},
      { definition: withFeatures({ amount: { type: 'number' } }, 'CAST(product AS DOUBLE) > 1') },
    );
    expect(report.issues.map(({ rule, column }) => [rule, column])).toEqual([['expression', 'returned']]);
    expect(report.notes.join()).toContain('the label cannot be computed');
  });
});

describe('a call', () => {
  it('that is aborted ends with the reason of the signal', async () => {
    const controller = new AbortController();
    const seen: string[] = [];
    const call = bench.validate(
      {},
      {
        signal: controller.signal,
        onProgress: ({ step }) => {
          seen.push(step);
          if (step === 'shape') controller.abort(new Error('stop'));
        },
      },
    );
    await expect(call).rejects.toThrow('stop');
    expect(seen.at(-1)).toBe('shape');
  });

  it('reports its steps, each once, up to the total', async () => {
    const seen: string[] = [];
    let total = 0;
    await bench.validate(
      {},
      { onProgress: (progress) => (seen.push(`${progress.done} ${progress.step}`), (total = progress.total)) },
    );
    expect(seen).toEqual(['0 read', '1 read', '2 read', '3 join', '4 shape', '5 check', '6 write']);
    expect(total).toBe(7);
  });

  it('refuses files of a table that the definition does not have', async () => {
    await expect(bench.validate({ salse: [] })).rejects.toMatchObject({ code: 'input/invalid' });
  });
});
