import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { contractSchema } from '../../../domain/data/contract.js';
import { dataPolicySchema } from '../../../domain/data/data-policy.js';
import { openSalesBench, rulesOf, salesDefinition, theIssue, type SalesBench } from './sales-fixture.js';

let bench: SalesBench;
beforeAll(async () => {
  bench = await openSalesBench();
});
afterAll(() => bench.close());

/** A file whose columns have names that DuckDB itself would not write beside each other. */
async function renamed(name: string, sql: string, names: Record<string, string>): Promise<string> {
  const file = await bench.write(name, sql);
  let bytes = (await readFile(file)).toString('latin1');
  for (const [from, to] of Object.entries(names)) bytes = bytes.replaceAll(from, to);
  const target = path.join(bench.folder, `${name}-renamed.parquet`);
  await writeFile(target, bytes, 'latin1');
  return target;
}

describe('a column', () => {
  it('is the one of exactly its name, wherever one that differs in case stands', async () => {
    const plain = await bench.validate();
    const other =
      'SELECT id, year, month, sold_at, store, product, amount + 5000 AS "aMount", amount AS ' +
      'am0unt, returned_on FROM sales';
    for (const [index, sql] of [other, `SELECT am0unt, * EXCLUDE (am0unt) FROM (${other})`].entries()) {
      const result = await bench.validate({
        sales: [await renamed(`exact-${index}`, sql, { aMount: 'Amount', am0unt: 'amount' })],
      });
      expect(result.report.issues).toEqual([]);
      expect(result.file?.sha256).toBe(plain.file?.sha256);
    }
  });

  it('may differ in case when it is the only one', async () => {
    const plain = await bench.validate();
    const result = await bench.validate({
      sales: [await bench.write('upper', 'SELECT * RENAME (amount AS "AMOUNT") FROM sales')],
    });
    expect(result.file?.sha256).toBe(plain.file?.sha256);
  });

  it('that is not clear is refused, with the names that there are', async () => {
    const two = 'SELECT * EXCLUDE (amount), amount AS "aMount", amount + 1 AS am0unt FROM sales';
    const cases = await bench.validate({
      sales: [await renamed('cases', two, { aMount: 'AMOUNT', am0unt: 'Amount' })],
    });
    expect(theIssue(cases, 'ambiguous-column')).toMatchObject({ table: 'sales', column: 'amount' });
    expect(theIssue(cases, 'ambiguous-column').message).toMatch(
      /cases-renamed\.parquet .* the columns AMOUNT and Amount, and none .* exactly amount/,
    );
    const twice = await bench.validate({
      sales: [await renamed('twice', two, { aMount: 'amount', am0unt: 'amount' })],
    });
    expect(theIssue(twice, 'ambiguous-column').message).toContain('2 columns named amount');
    expect(twice.file).toBeUndefined();
  });

  it('beside nested ones and ones that are called as DuckDB renames is found at its place', async () => {
    const plain = await bench.validate();
    const sql =
      `SELECT {'a': 1, 'l': [{'amount': 2}]} AS nested, amount + 7 AS "aMount", amount + 8 AS ` +
      'amount_1, * RENAME (amount AS am0unt) FROM sales';
    const result = await bench.validate({
      sales: [await renamed('nested', sql, { aMount: 'AMOUNT', am0unt: 'amount' })],
    });
    expect(result.report.issues).toEqual([]);
    expect(result.file?.sha256).toBe(plain.file?.sha256);
  });
});

describe('a value that its type cannot hold as it is', () => {
  const wide = {
    ...salesDefinition,
    contract: contractSchema.parse({
      ...salesDefinition.contract,
      entity: ['id', 'sold_at'],
      features: { size: { type: 'number' } },
    }),
    data: dataPolicySchema.parse({
      ...salesDefinition.data,
      tables: {
        ...salesDefinition.data.tables,
        sales: { ...salesDefinition.data.tables.sales, key: ['id', 'sold_at'] },
      },
    }),
  };
  const issueOf = async (name: string, replace: string, rule: Parameters<typeof theIssue>[1] = 'wrong-type') => {
    const result = await bench.validate(
      { sales: [await bench.write(name, `SELECT * REPLACE (${replace}) FROM sales`)] },
      { definition: wide },
    );
    expect(rulesOf(result)).toEqual([rule]);
    return theIssue(result, rule);
  };

  it.each([
    [
      'nanoseconds',
      `make_timestamp_ns(1700000000000000000 + id * 200) AS sold_at`,
      'sold_at',
      72,
      /have nanoseconds.*microsecond/,
    ],
    [
      'nanoseconds in text',
      `CASE WHEN id < 2 THEN '2024-02-01T00:00:00.0000001' || id || '0' ELSE sold_at::VARCHAR END AS sold_at`,
      'sold_at',
      2,
      /nanoseconds/,
    ],
    [
      'integers over 64 bits',
      `CASE WHEN id < 3 THEN 18446744073709551615::UBIGINT ELSE id::UBIGINT END AS id`,
      'id',
      3,
      /range of 64-bit integers/,
    ],
    ['whole floats from 2^53 on', `(9007199254740992 + id)::DOUBLE AS id`, 'id', 90, /2\^53 or more.*DOUBLE column/],
    ['whole 32-bit floats from 2^24 on', `(16777215 + id)::FLOAT AS id`, 'id', 89, /2\^24 or more.*FLOAT column/],
    [
      'decimals with a fraction',
      `CASE WHEN id = 4 THEN 4.5 ELSE id END::DECIMAL(10, 2) AS id`,
      'id',
      1,
      /not whole numbers/,
    ],
    [
      'decimals over 64 bits',
      `CASE WHEN id = 4 THEN 9999999999999999999999 ELSE id END::DECIMAL(38, 2) AS id`,
      'id',
      1,
      /range of 64-bit/,
    ],
    [
      'integers that no float holds',
      `CASE WHEN id < 5 THEN 9007199254740993 + 2 * id ELSE id END::BIGINT AS amount`,
      'amount',
      5,
      /cannot hold exactly/,
    ],
    [
      'times out of range',
      `CASE WHEN id = 6 THEN DATE '300000-01-01' ELSE sold_at::DATE END AS sold_at`,
      'sold_at',
      1,
      /outside the range of times/,
    ],
    ['durations', `to_hours(id) AS sold_at`, 'sold_at', 90, /INTERVAL.*not timestamps/],
    ['truth values', `id % 2 = 0 AS amount`, 'amount', 90, /BOOLEAN.*not numbers/],
  ])('is refused with the true reason: %s', async (name, replace, column, rows, message) => {
    const issue = await issueOf(name, replace);
    expect(issue).toMatchObject({ table: 'sales', column, rows });
    expect(issue.message).toMatch(message);
    expect(issue.examples).toHaveLength(Math.min(rows, 20));
  });

  it('and one that it can hold is taken: microseconds, a zone, whole floats and decimals, 64-bit integers, minus zero', async () => {
    const plain = await bench.validate({}, { definition: wide });
    for (const [name, replace] of Object.entries({
      micros: `make_timestamp_ns(epoch_us(sold_at) * 1000) AS sold_at`,
      digits: `strftime(sold_at, '%Y-%m-%d %H:%M:%S.%f') || '000' AS sold_at`,
      zone: `sold_at::TIMESTAMPTZ AS sold_at`,
      seconds: `sold_at::TIMESTAMP_S AS sold_at`,
      decimal: `id::DECIMAL(20, 3) AS id`,
      float: `id::FLOAT AS id, year::DOUBLE AS year`,
      unsigned: `id::UBIGINT AS id, month::UTINYINT AS month`,
    })) {
      const result = await bench.validate(
        { sales: [await bench.write(name, `SELECT * REPLACE (${replace}) FROM sales`)] },
        { definition: wide },
      );
      expect({ name, issues: result.report.issues }).toEqual({ name, issues: [] });
      expect(result.file?.sha256).toBe(plain.file?.sha256);
    }
    const zero = async (value: string) =>
      (
        await bench.validate({
          stores: [await bench.write(`zero${value}`, `SELECT * REPLACE ('${value}'::DOUBLE AS size) FROM stores`)],
        })
      ).file?.sha256;
    expect(await zero('-0.0')).toBe(await zero('0.0'));
  });

  it('is named beside keys that only differ there, instead of as repeated rows', async () => {
    const issue = await issueOf('keys', `1 AS id, make_timestamp_ns(1700000000000000000 + id * 200) AS sold_at`);
    expect(issue.message).toContain('nanoseconds');
    expect(issue.examples[1]).toMatchObject({ id: '1', sold_at: '2023-11-14 22:13:20.0000004' });
  });
});

describe('a text with the character NUL', () => {
  it('is an issue with table, column and rows, wherever it comes from', async () => {
    const file = await bench.write(
      'nul',
      `SELECT * REPLACE (CASE WHEN id < 2 THEN 'a' || chr(0) || 'b' ELSE product END AS product) FROM sales`,
    );
    const result = await bench.validate({ sales: [file] });
    expect(rulesOf(result)).toEqual(['unstorable-text']);
    expect(theIssue(result, 'unstorable-text')).toMatchObject({
      table: 'sales',
      column: 'product',
      rows: 2,
      examples: [{ id: '0' }, { id: '1' }],
    });
    expect(theIssue(result, 'unstorable-text').message).toContain('nul.parquet');
  });

  it('that an expression makes is an issue of the feature', async () => {
    const { contract } = salesDefinition;
    const features = { ...contract.features, product: { ...contract.features.product, from: `product || chr(0)` } };
    const result = await bench.validate(
      {},
      { definition: { ...salesDefinition, contract: contractSchema.parse({ ...contract, features }) } },
    );
    // Either the expression is not allowed at all, or what it makes is found.
    expect(result.report.issues.map(({ column }) => column)).toEqual(['product']);
    expect(result.file).toBeUndefined();
  });
});
