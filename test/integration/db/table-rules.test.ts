import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { migrating } from '../../../db/enforce-table-rules.js';
import { migrateDatabase, migrationState } from '../../../db/migrate.js';
import { privileges, tableRules, type TableRule } from '../../../db/table-rules.js';
import { createTestDatabase, type TestDatabase } from '../../support/test-database.js';

const kinds = ['SELECT', 'INSERT', 'UPDATE', 'DELETE', 'TRUNCATE', 'REFERENCES', 'TRIGGER'];
const tablesOf = (wanted: TableRule) => tableRules.filter(({ rule }) => rule === wanted).map(({ table }) => table);
const factTables = tablesOf('append-only');
const expiringTables = tablesOf('expire');
const guarded = [...factTables, ...expiringTables];

let database: TestDatabase;
let application: postgres.Sql;
let owner: postgres.Sql;
beforeAll(async () => {
  database = await createTestDatabase();
  application = postgres(database.url, { max: 1, onnotice: () => undefined });
  owner = postgres(database.ownerUrl, { max: 1, onnotice: () => undefined });
});
afterAll(async () => {
  await Promise.all([application.end(), owner.end()]);
  await database.drop();
});

const triggerNames = ['perdure_append_only_rows', 'perdure_unchanged_rows', 'perdure_append_only_table'];

async function triggersOf(url: string): Promise<number> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  const [row] = await sql<
    { n: number }[]
  >`select count(*)::int as n from pg_trigger where tgname like 'perdure_append_only_%'
    or tgname = 'perdure_unchanged_rows'`;
  await sql.end();
  return row?.n ?? 0;
}

/** One empty row of whatever the table needs, so that a row trigger has something to refuse. */
async function someRow(table: string): Promise<void> {
  await owner.unsafe('set session_replication_role = replica');
  const columns = await owner<{ name: string; type: string }[]>`
    select column_name as name, udt_name as type from information_schema.columns where table_schema = 'public'
    and table_name = ${table} and is_nullable = 'NO' and is_identity = 'NO'`;
  const value: Record<string, string> = {
    int4: '1',
    int8: '1',
    float8: '1',
    bool: 'true',
    jsonb: `'{}'`,
    timestamptz: 'now()',
    uuid: 'gen_random_uuid()',
    _int8: `'{}'`,
  };
  const values = columns.map(({ type }) => value[type] ?? (type.startsWith('_') ? `'{}'` : `'x'`));
  await owner.unsafe(
    `insert into "${table}" (${columns.map(({ name }) => `"${name}"`).join(', ')}) values (${values.join(', ')})`,
  );
  await owner.unsafe('set session_replication_role = origin');
}

describe('the role of the application', () => {
  it('may do with each table what its rule says, and nothing more', async () => {
    for (const { table, rule } of tableRules) {
      const [row] = await application<{ has: string[] }[]>`
        select array(select kind from unnest(${kinds}::text[]) kind where has_table_privilege(${table}, kind)) as has`;
      expect(row?.has, table).toEqual(privileges[rule].toUpperCase().split(', '));
    }
  });

  it('makes, changes and drops no table, owns nothing, and is no superuser', async () => {
    for (const statement of [
      'create table mine (n int)',
      'alter table routes add column mine int',
      'alter table routes disable trigger all',
      'drop table routes',
      'drop trigger perdure_append_only_rows on routes',
      'create or replace function perdure_refuse_change() returns trigger language plpgsql as $$ begin ' +
        'return new; end $$',
      'set session_replication_role = replica',
      'create role other',
    ])
      await expect(application.unsafe(statement), statement).rejects.toThrow(/permission denied|must be owner/);
    const owned = await application`select relname from pg_class where pg_get_userbyid(relowner) = current_user`;
    expect([...owned]).toEqual([]);
  });
});

describe('every table', () => {
  it('has a rule', async () => {
    const tables = await owner<
      { name: string }[]
    >`select table_name as name from information_schema.tables where table_schema = 'public'`;
    expect(tables.map(({ name }) => name).sort()).toEqual(tableRules.map(({ table }) => table).sort());
  });
});

async function firstColumnOf(table: string): Promise<string> {
  const [column] = await owner<{ name: string }[]>`
    select column_name as name from information_schema.columns
    where table_schema = 'public' and table_name = ${table} and is_identity = 'NO' limit 1`;
  return column?.name ?? 'no column';
}

describe('a fact', () => {
  it.each(factTables)(
    'in %s is neither changed, deleted nor truncated, by the owner of the table either',
    async (table) => {
      const column = await firstColumnOf(table);
      await someRow(table);
      for (const statement of [
        `update "${table}" set "${column}" = "${column}"`,
        `delete from "${table}"`,
        `truncate "${table}" cascade`,
      ]) {
        await expect(owner.unsafe(statement), statement).rejects.toThrow('facts, which are added to and never changed');
        const asApplication = application.begin(async (sql) => {
          await sql`select set_config(${migrating}, 'on', true)`;
          await sql.unsafe(statement);
        });
        await expect(asApplication, statement).rejects.toThrow('permission denied');
      }
    },
  );

  it.each(expiringTables)('in %s is neither changed nor truncated, and removed when it is old', async (table) => {
    const column = await firstColumnOf(table);
    await someRow(table);
    const update = `update "${table}" set "${column}" = "${column}"`;
    for (const statement of [update, `truncate "${table}"`])
      await expect(owner.unsafe(statement), statement).rejects.toThrow('facts, which are added to and never changed');
    await expect(application.unsafe(update)).rejects.toThrow('permission denied');
    await application.unsafe(`delete from "${table}"`);
    expect((await owner.unsafe(`select from "${table}"`)).count).toBe(0);
  });

  it('may be changed by a migration, which says so and owns the table', async () => {
    const before = await owner<{ id: string }[]>`select id from stores order by created_at limit 1`;
    await owner.begin(async (sql) => {
      await sql`select set_config(${migrating}, 'on', true)`;
      await sql`update stores set created_at = created_at - interval '1 day'`;
      await sql`delete from stores where id <> ${before[0]?.id ?? ''}`;
    });
    await expect(owner`delete from stores`).rejects.toThrow('facts');
    expect(await owner`select id from stores`).toEqual(before);
  });
});

describe('a database', () => {
  it('made by an earlier version gets its rules at the next migration, and keeps them over later ones', async () => {
    const old = await createTestDatabase({ empty: true });
    try {
      await migrateDatabase(old.ownerUrl, old.url);
      const sql = postgres(old.ownerUrl, { max: 1, onnotice: () => undefined });
      await sql.unsafe(
        guarded
          .flatMap((table) => triggerNames.map((name) => `drop trigger if exists ${name} on "${table}"`))
          .join(';'),
      );
      await sql.unsafe(
        'drop function perdure_refuse_change; revoke all on all tables in schema public from perdure_app',
      );
      await sql.end();
      await Promise.all([migrateDatabase(old.ownerUrl, old.url), migrateDatabase(old.ownerUrl, old.url)]);
      await migrateDatabase(old.ownerUrl, old.url);
      expect(await triggersOf(old.ownerUrl)).toBe(2 * guarded.length);
      expect((await migrationState(old.url)).applied).toBeGreaterThan(0);
    } finally {
      await old.drop();
    }
  });

  it('with one role only has the triggers all the same', async () => {
    const one = await createTestDatabase({ empty: true });
    try {
      await migrateDatabase(one.ownerUrl);
      expect(await triggersOf(one.ownerUrl)).toBe(2 * guarded.length);
    } finally {
      await one.drop();
    }
  });
});
