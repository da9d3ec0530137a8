import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { openDuckSession } from '../../../adapters/data-engine/duck-session.js';
import {
  validateAndShapePartition,
  type ValidateAndShapeResult,
} from '../../../adapters/data-engine/snapshot/validate-and-shape-partition.js';
import { contractSchema, type Contract } from '../../../domain/data/contract.js';
import { dataPolicySchema } from '../../../domain/data/data-policy.js';

/** The first id: neighbours are the same number to whoever rounds to 53 bits. */
export const firstId = 2n ** 60n + 1n;

/** A feature of every type. */
const features = {
  id: { type: 'integer' },
  member: { type: 'boolean', nullable: true },
  seen: { type: 'timestamp', nullable: true },
  place: { type: 'vector', length: 3, nullable: true },
  visits: { type: 'integer', min: 0, nullable: true },
  city: { type: 'string', nullable: true },
  note: { type: 'text', nullable: true, maxLength: 20 },
  tags: { type: 'list', of: { type: 'string' }, maxLength: 3, nullable: true },
};
export type TypedFeature = keyof typeof features;

/** Will a member come again? Only these features. */
export const typedContract = (names: readonly TypedFeature[] = Object.keys(features) as TypedFeature[]): Contract =>
  contractSchema.parse({
    entity: ['id'],
    eventTime: 'at',
    label: { name: 'again', type: 'boolean' },
    features: Object.fromEntries(names.map((name) => [name, features[name]])),
  });

const data = dataPolicySchema.parse({
  tables: {
    members: {
      columns: {
        ...{ id: 'integer', at: 'timestamp', again: 'boolean', member: 'boolean', seen: 'timestamp' },
        ...{ place: 'number[]', visits: 'integer', city: 'string', note: 'string', tags: 'string[]' },
      },
    },
  },
  base: 'members',
  window: { kind: 'expanding', from: '2024-02' },
});

/** 3,000 rows whose label follows from id, member, seen and place, each of which says what the others do not. */
export const typedRows = `SELECT *, (id >= ${firstId + 1500n})::INT + coalesce(member, false)::INT
    + (coalesce(seen, TIMESTAMP '1960-01-01') >= TIMESTAMP '2024-02-01 00:20:00')::INT
    + (coalesce(place[2], 0) > 0.5)::INT + (hash(i, 'noise') % 100 < 10)::INT >= 2 AS again
  FROM (SELECT i, ${firstId}::BIGINT + (hash(i, 'id') % 3000)::BIGINT AS id,
    TIMESTAMP '2024-02-01' + INTERVAL (i % 27) DAY + INTERVAL (i) MILLISECOND AS at,
    CASE WHEN i % 7 > 0 THEN hash(i, 'member') % 2 = 0 END AS member,
    CASE WHEN i % 11 > 0 THEN TIMESTAMP '2024-02-01' + INTERVAL (hash(i, 'seen') % 2400) SECOND END AS seen,
    CASE WHEN i % 5 > 0 THEN [(i % 3) / 3.0, (hash(i, 'place') % 1000) / 1000.0, -1.0]::DOUBLE[] END AS place,
    CASE WHEN i % 3 > 0 THEN (i % 10)::INT END AS visits,
    ['Oslo', 'Zürich', NULL][1 + (i % 3)] AS city,
    CASE WHEN i % 4 > 0 THEN '🍕 ' || i END AS note,
    CASE WHEN i % 6 > 0 THEN (['b', 'a', ''])[1:(i % 4)] END AS tags
    FROM range(3000) rows(i)) QUALIFY row_number() OVER (PARTITION BY id ORDER BY i) = 1`;

/** Validates and shapes these rows as one partition. */
export async function shapeTyped(
  folder: string,
  contract: Contract,
  sql: string = typedRows,
): Promise<ValidateAndShapeResult> {
  const name = `members-${Math.random().toString(36).slice(2)}`;
  const source = path.join(folder, `${name}.parquet`);
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  await connection.run(`COPY (${sql}) TO '${source}' (FORMAT parquet)`);
  connection.closeSync();
  const workDir = path.join(folder, name);
  await mkdir(workDir);
  return validateAndShapePartition({
    definition: { name: 'members', contract, data },
    partition: '2024-02',
    tableFiles: { members: [source] },
    workDir,
    previous: [],
    openSession: openDuckSession,
  });
}
