import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { afterEach, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { migrateDatabase, migrationState } from '../../../db/migrate.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';

const migrations = path.resolve('db', 'migrations');
const journalSchema = z.looseObject({ entries: z.array(z.unknown()).min(1) });
const journal = journalSchema.parse(JSON.parse(readFileSync(path.join(migrations, 'meta', '_journal.json'), 'utf8')));

const databases: TestDatabase[] = [];
afterEach(async () => {
  for (const database of databases.splice(0)) await database.drop();
});

/** A database at the schema that the first `count` migrations make. */
async function databaseAt(count: number): Promise<string> {
  const database = await createTestDatabase({ empty: true });
  databases.push(database);
  const folder = mkdtempSync(path.join(tmpdir(), 'perdure-migrations-'));
  const sql = postgres(database.ownerUrl, { max: 1, onnotice: () => undefined });
  try {
    cpSync(migrations, folder, { recursive: true });
    writeFileSync(
      path.join(folder, 'meta', '_journal.json'),
      JSON.stringify({ ...journal, entries: journal.entries.slice(0, count) }),
    );
    if (count > 0) await migrate(drizzle(sql), { migrationsFolder: folder });
  } finally {
    await sql.end({ timeout: 5 });
    rmSync(folder, { recursive: true, force: true });
  }
  return database.ownerUrl;
}

async function ask<T>(url: string, question: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    return await question(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

interface Column {
  table_name: string;
  column_name: string;
  data_type: string;
}

const columnsOf = (sql: postgres.Sql) =>
  sql<Column[]>`select table_name, column_name, data_type from information_schema.columns where table_schema = 'public'
    order by table_name, column_name`;

const sample: Record<string, string> = {
  text: `'text'`,
  integer: '7',
  bigint: '9007199254740991',
  boolean: 'true',
  jsonb: `'{"kept": [1, null, "é"]}'`,
  uuid: `'00000000-0000-4000-8000-000000000001'`,
  ARRAY: `'{9007199254740991, 7}'`,
  'timestamp with time zone': `'2013-03-10 06:59:59.123456+00'`,
};

/** Columns that hold more special things than their type says. */
const sampleOf: Record<string, string> = {
  'serving_windows.latency': `'[3, 0, 5]'`,
  'serving_windows.scores': `'[9007199254740991]'`,
};

/** One row in every table, all columns filled. References between tables are not asked for here. */
async function fill(sql: postgres.Sql): Promise<void> {
  await sql`set session_replication_role = replica`;
  const all = await columnsOf(sql);
  for (const table of new Set(all.map((column) => column.table_name))) {
    const columns = all.filter((column) => column.table_name === table);
    const values = columns.map(({ data_type, column_name }) => {
      const value = sampleOf[`${table}.${column_name}`] ?? sample[data_type];
      if (value === undefined) throw new Error(`${table}.${column_name} is a ${data_type}: say above what to put in`);
      return value;
    });
    await sql.unsafe(
      `insert into "${table}" (${columns.map((column) => `"${column.column_name}"`).join(', ')}) values ` +
        `(${values.join(', ')})`,
    );
  }
}

/** Every row as JSON, by table. */
async function contents(sql: postgres.Sql): Promise<Record<string, unknown[]>> {
  const found: Record<string, unknown[]> = {};
  for (const table of new Set((await columnsOf(sql)).map((column) => column.table_name))) {
    found[table] = (await sql.unsafe<{ row: unknown }[]>(`select to_jsonb(t) as row from "${table}" t`)).map(
      ({ row }) => row,
    );
  }
  return found;
}

/** All that the schema is made of. */
const shape = async (sql: postgres.Sql) => ({
  columns: [...(await columnsOf(sql))],
  indexes: [
    ...(await sql<
      { indexdef: string }[]
    >`select indexdef from pg_indexes where schemaname = 'public' order by indexname`),
  ],
  constraints: [
    ...(await sql`select conrelid::regclass::text as on, pg_get_constraintdef(oid) as def from pg_constraint
      where connamespace = 'public'::regnamespace order by 1, 2`),
  ],
});

describe('an upgrade of the database', () => {
  it('from the first schema, with data in every table, loses no row and no value', async () => {
    expect(journal.entries.length).toBeGreaterThan(1);
    const url = await databaseAt(1);
    const before = await ask(url, async (sql) => {
      await fill(sql);
      return contents(sql);
    });
    expect(Object.keys(before).length).toBeGreaterThan(15);
    await migrateDatabase(url);
    const after = await ask(url, contents);
    for (const [table, rows] of Object.entries(before)) {
      expect(after[table], table).toHaveLength(rows.length);
      const now =
        table === 'rollout_looks' ? Object.assign({}, after['look_inputs']?.[0], after[table]?.[0]) : after[table]?.[0];
      expect(now, table).toMatchObject(rows[0] as object);
    }
  });

  it('keeps out of the lake what a change that was under way had not made count, and who changed what', async () => {
    const before = journal.entries.findIndex((entry) => JSON.stringify(entry).includes('_lake_manifests"'));
    const url = await databaseAt(before);
    await ask(
      url,
      (sql) => sql`
        insert into lake_changes (model, prefix, key, replaced, step, actor) values
          ('m', 'p/', 'p/landing', '{p/counts}', 'landing', 'ada'),
          ('m', 'q/', 'q/counts', '{q/old,q/older}', 'taking-over', 'bob'),
          ('m', 'r/', 'r/counts', '{r/old}', 'done', 'eve'),
          ('m', 'r/', 'r/dead', '{}', 'abandoned', 'eve')`,
    );
    await migrateDatabase(url);
    expect([...(await ask(url, (sql) => sql`select key, why from lake_uncounted order by key`))]).toEqual([
      { key: 'p/landing', why: 'landing' },
      { key: 'q/old', why: 'superseded' },
      { key: 'q/older', why: 'superseded' },
    ]);
    expect([...(await ask(url, (sql) => sql`select prefix, keys, actor from lake_changes order by id`))]).toEqual([
      { prefix: 'q/', keys: ['q/counts'], actor: 'bob' },
      { prefix: 'r/', keys: ['r/counts'], actor: 'eve' },
    ]);
  });

  it('lets runs that had their turn go on, and those that wait keep waiting, by the priority of their cause', async () => {
    const url = await databaseAt(journal.entries.findIndex((entry) => JSON.stringify(entry).includes('_run_queue"')));
    await ask(url, async (sql) => {
      await sql`insert into definitions (sha256, model, body) values ('d', 'm', '{}')`;
      await sql`
        insert into runs (id, workflow_id, model, definition_sha256, cause, finished_at) values
          ('over', 'train/m/person-1', 'm', 'd', '{"kind": "person"}', now()),
          ('goes', 'train/m/data-2|x', 'm', 'd', '{"kind": "data"}', null),
          ('waits', 'train/m/backfill-3', 'm', 'd', '{"kind": "backfill"}', null)`;
      await sql`insert into leases (name, holder, token) values ('train/m', 'train/m/data-2|x|goes', 1)`;
    });
    await migrateDatabase(url);
    const rows = await ask(
      url,
      (sql) => sql`select id, priority, admitted_at is not null as admitted from runs order by id`,
    );
    expect([...rows]).toEqual([
      { id: 'goes', priority: 3, admitted: true },
      { id: 'over', priority: 2, admitted: true },
      { id: 'waits', priority: 4, admitted: false },
    ]);
  });

  it('ends at the same schema as a new database', async () => {
    const [upgraded, fresh] = [await databaseAt(1), await databaseAt(0)];
    await migrateDatabase(upgraded);
    await migrateDatabase(fresh);
    expect(await ask(upgraded, shape)).toEqual(await ask(fresh, shape));
    expect(await migrationState(upgraded)).toEqual({ applied: journal.entries.length });
  });

  it('may be asked for by several processes at once and again: all succeed, and the store keeps its name', async () => {
    const url = await databaseAt(0);
    await Promise.all(Array.from({ length: 4 }, () => migrateDatabase(url)));
    const stores = await ask(url, (sql) => sql<{ id: string }[]>`select id from stores`);
    expect(stores).toHaveLength(1);
    await migrateDatabase(url);
    expect(await ask(url, (sql) => sql<{ id: string }[]>`select id from stores`)).toEqual(stores);
    expect(await migrationState(url)).toEqual({ applied: journal.entries.length });
  });
});
