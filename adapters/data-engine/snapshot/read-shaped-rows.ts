import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { Contract } from '../../../domain/data/contract.js';
import { labelColumns } from '../../../domain/data/label.js';
import { valueTypeOf, type JsonValue } from '../../../domain/data/feature/feature-value.js';
import { jsonOfStored } from '../stored-json.js';
import { openDuckSession } from '../duck-session.js';
import { parquetTable, quoteName } from '../quote-sql.js';

/** One row of a shaped partition. Numbers are exact 32-bit floats, integers that JSON numbers cannot hold digits. */
export interface ShapedRow {
  /** Entity columns as text, times as ISO 8601 in UTC. */
  entity: Record<string, string>;
  /** ISO 8601, UTC. */
  eventTime: string;
  /** In contract order; null means missing. */
  features: Record<string, JsonValue>;
  /** Null for a model without a label. */
  label: number | string | boolean | null;
}

const scalarSchema = z.union([z.number(), z.string(), z.boolean(), z.null()]);
const valueSchema = z.union([scalarSchema, z.array(scalarSchema)]);
const rowSchema = z.record(z.string(), valueSchema);

/** Reads rows of a shaped partition, in the file's order (event time, then entity). */
export async function readShapedRows(request: {
  file: string;
  contract: Contract;
  offset?: number;
  limit?: number;
  signal?: AbortSignal | undefined;
}): Promise<ShapedRow[]> {
  const { file, contract, offset = 0, limit, signal } = request;
  const folder = await mkdtemp(path.join(tmpdir(), 'perdure-rows-'));
  const session = await openDuckSession({ folder, readable: [path.resolve(file)], threads: 1, signal });
  try {
    const times = [contract.eventTime, ...contract.entity].map(
      (name) => `CASE WHEN typeof(${quoteName(name)}) = 'TIMESTAMP'
        THEN strftime(TRY_CAST(CAST(${quoteName(name)} AS VARCHAR) AS TIMESTAMP), '%Y-%m-%dT%H:%M:%SZ')
        ELSE CAST(${quoteName(name)} AS VARCHAR) END AS ${quoteName(`key:${name}`)}`,
    );
    const columns = [
      ...new Set(times),
      ...Object.keys(contract.features).map(quoteName),
      ...labelColumns(contract).map(quoteName),
    ];
    const page = `${limit === undefined ? '' : ` LIMIT ${Math.trunc(limit)}`} OFFSET ${Math.trunc(offset)}`;
    const rows = await session.rows(
      `SELECT ${columns.join(', ')} FROM ${parquetTable(path.resolve(file))}${page}`,
      rowSchema,
    );
    return rows.map((row) => ({
      entity: Object.fromEntries(contract.entity.map((name) => [name, String(row[`key:${name}`])])),
      eventTime: String(row[`key:${contract.eventTime}`]),
      features: Object.fromEntries(
        Object.entries(contract.features).map(([name, feature]) => [
          name,
          jsonOfStored(valueTypeOf(feature), row[name]),
        ]),
      ),
      label: contract.label === undefined ? null : scalarSchema.parse(row[contract.label.name] ?? null),
    }));
  } finally {
    session.close();
    await rm(folder, { recursive: true, force: true });
  }
}
