import { loadavg } from 'node:os';
import type { Database } from '../../db/connect.js';
import { diskUse } from '../../infra/embedded/doctor/disk-use.js';
import { residentMemory } from '../../infra/embedded/processes/process-memory.js';
import type { Figure } from '../figures/figure.js';
import type { GrowthStack } from './growth-stack.js';

const mb = (bytes: number) => Math.round(bytes / 1024 ** 2);

/** What it all occupies: reported, nothing is wanted of it. */
export async function measureSpace(stack: GrowthStack, db: Database): Promise<Figure[]> {
  const tables = await db.sql<{ name: string; rows: string; data: string; indexes: string }[]>`
    select relname as name, reltuples::bigint as rows, pg_table_size(oid) as data, pg_indexes_size(oid) as indexes
    from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace
    order by pg_total_relation_size(oid) desc`;
  const sum = (of: 'data' | 'indexes') => tables.reduce((total, table) => total + Number(table[of]), 0);
  const largest = tables
    .slice(0, 8)
    .map(({ name, data, indexes }) => [`${name}Mb`, mb(Number(data) + Number(indexes))] as const);
  const disk = await diskUse(stack.home, Infinity);
  const pids = stack.file.components.flatMap(({ name, pid }) => (pid === undefined ? [] : [{ name, pid }]));
  const ids = pids.map(({ pid }) => pid);
  const [resident, shares] = [residentMemory(ids).each, residentMemory(ids, { sharesOnly: true }).each];
  const byName = (memory: ReadonlyMap<number, number>) =>
    Object.fromEntries(pids.map(({ name, pid }) => [name, mb(memory.get(pid) ?? 0)]));
  const figure = (name: string, title: string, values: Record<string, number>): Figure => ({
    ...{
      name,
      title,
      unit: 'MB',
      measured: values,
      failed: 0,
      rounds: 1,
      wanted: [],
      loadAverage: loadavg()[0] ?? NaN,
    },
  });
  return [
    figure('growth.database', 'the database: rows, indexes, the largest tables', {
      ...{ dataMb: mb(sum('data')), indexesMb: mb(sum('indexes')) },
      ...Object.fromEntries(largest),
    }),
    figure(
      'growth.disk',
      'the state folder, by part',
      Object.fromEntries(disk.map(({ part, bytes }) => [part, mb(bytes)])),
    ),
    figure(
      'growth.memory',
      'resident memory, by process with its children; shared pages count in each',
      byName(resident),
    ),
    figure('growth.memory-shares', 'the same, where each counts its share of what is shared', byName(shares)),
  ];
}
