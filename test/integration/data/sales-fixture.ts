import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import { contractSchema } from '../../../domain/data/contract.js';
import { dataPolicySchema } from '../../../domain/data/data-policy.js';
import { openDuckSession } from '../../../adapters/data-engine/duck-session.js';
import type { PartitionSummary } from '../../../domain/data/snapshot/snapshot-summary.js';
import type { ValidationIssue } from '../../../domain/data/validation/validation-report.js';
import {
  validateAndShapePartition,
  type ValidateAndShapeResult,
} from '../../../adapters/data-engine/snapshot/validate-and-shape-partition.js';

/** A small model: will a sale be returned? One partitioned base, one partitioned join, one table replaced whole. */
export const salesDefinition = {
  name: 'returns',
  contract: contractSchema.parse({
    entity: ['id'],
    eventTime: 'sold_at',
    label: { name: 'returned', type: 'boolean', from: 'returned_on IS NOT NULL' },
    features: {
      store: { type: 'string', levels: ['A', 'B', 'C'], closed: true },
      product: { type: 'string' },
      amount: { type: 'number', min: 0, max: 1000 },
      rain: { type: 'number', nullable: true, min: 0 },
      size: { type: 'number' },
      age: { type: 'number', from: 'sales.year - stores.year' },
      weekday: { type: 'number', from: 'isodow(sold_at) - 1' },
    },
  }),
  data: dataPolicySchema.parse({
    tables: {
      sales: {
        columns: {
          id: 'integer',
          year: 'integer',
          month: 'integer',
          sold_at: 'timestamp',
          store: 'string',
          product: 'string',
          amount: 'number',
          returned_on: 'timestamp',
        },
        key: ['id'],
      },
      weather: { columns: { store: 'string', sold_at: 'timestamp', rain: 'number' } },
      stores: { partitioned: false, columns: { store: 'string', year: 'integer', size: 'number' }, key: ['store'] },
    },
    base: 'sales',
    joins: [
      { table: 'weather', on: ['store', 'sold_at'] },
      { table: 'stores', on: ['store'] },
    ],
    window: { kind: 'expanding', from: '2024-02' },
  }),
};

/** 90 sales of February 2024, 30 in each of the stores A, B and C; every third is returned. */
const salesSql = `SELECT i AS id, 2024 AS year, 2 AS month,
  TIMESTAMP '2024-02-01' + INTERVAL (i * 7) HOUR AS sold_at, chr(65 + CAST(i % 3 AS INT)) AS store,
  'p' || (i % 5) AS product, i * 1.1 AS amount, CASE WHEN i % 3 = 0 THEN TIMESTAMP '2024-03-01' END AS returned_on
  FROM range(90) t(i)`;
const weatherSql =
  `SELECT chr(65 + CAST(s AS INT)) AS store, TIMESTAMP '2024-02-01' + INTERVAL (i) HOUR AS ` +
  'sold_at, (i % 13) / 10 AS rain FROM range(3) a(s), range(630) b(i)';
const storesSql = `SELECT * FROM (VALUES ('A', 1999, 120.5), ('B', 2010, 80.0), ('C', 2020, 45.25)) v(store,
  year, size)`;

export interface SalesBench {
  folder: string;
  connection: DuckDBConnection;
  /** Writes a query's rows as Parquet and gives the path. The tables `sales`, `weather` and `stores` hold good data. */
  write(name: string, sql: string): Promise<string>;
  /** Validates with good files for every table that is not named. */
  validate(
    tableFiles?: Record<string, string[]>,
    options?: Partial<Parameters<typeof validateAndShapePartition>[0]>,
  ): Promise<ValidateAndShapeResult>;
  previous(change?: Partial<PartitionSummary>): Promise<PartitionSummary>;
  close(): Promise<void>;
}

export async function openSalesBench(): Promise<SalesBench> {
  const folder = await mkdtemp(path.join(tmpdir(), 'perdure-data-'));
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  await connection.run(`CREATE TABLE sales AS ${salesSql}`);
  await connection.run(`CREATE TABLE weather AS ${weatherSql}`);
  await connection.run(`CREATE TABLE stores AS ${storesSql}`);
  const bench: SalesBench = {
    folder,
    connection,
    async write(name, sql) {
      const file = path.join(folder, `${name}.parquet`);
      await connection.run(`COPY (${sql}) TO '${file}' (FORMAT parquet)`);
      return file;
    },
    validate: (tableFiles = {}, options = {}) =>
      validateAndShapePartition({
        definition: salesDefinition,
        partition: '2024-02',
        tableFiles: { ...good, ...tableFiles },
        workDir: path.join(folder, 'work'),
        previous: [],
        openSession: openDuckSession,
        ...options,
      }),
    async previous(change = {}) {
      const { file, profile } = await bench.validate();
      return {
        partition: '2024-01',
        rows: file?.rows ?? 0,
        positives: file?.positives ?? 0,
        profile: profile ?? [],
        ...change,
      };
    },
    async close() {
      connection.closeSync();
      instance.closeSync();
      await rm(folder, { recursive: true, force: true });
    },
  };
  const good = {
    sales: [await bench.write('sales', 'FROM sales')],
    weather: [await bench.write('weather', 'FROM weather')],
    stores: [await bench.write('stores', 'FROM stores')],
  };
  return bench;
}

/** The only issue of a rule, or a message that says which there were. */
export function theIssue(result: ValidateAndShapeResult, rule: ValidationIssue['rule']): ValidationIssue {
  const found = result.report.issues.filter((issue) => issue.rule === rule);
  const [only] = found;
  if (!only || found.length > 1)
    throw new Error(`${found.length} issues of rule ${rule}: ${JSON.stringify(result.report.issues)}`);
  return only;
}

export const rulesOf = (result: ValidateAndShapeResult): string[] =>
  result.report.issues.map(({ rule }) => rule).sort();
