import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { migrating } from '../../db/enforce-table-rules.js';
import { migrateDatabase } from '../../db/migrate.js';

export interface TestDatabase {
  /** With the role that the application uses: a grant that is missing shows in the test. */
  url: string;
  /** With the role that owns the tables. */
  ownerUrl: string;
  drop(): Promise<void>;
}

/** A database of one's own on the worker's PostgreSQL, at the newest schema unless `empty`. */
export async function createTestDatabase(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const application = process.env.PERDURE_DATABASE_URL;
  const owner = process.env.PERDURE_MIGRATION_DATABASE_URL ?? application;
  const template = process.env.PERDURE_TEST_TEMPLATE_DATABASE;
  if (!application || !owner || !template)
    throw new Error('PERDURE_DATABASE_URL is not set: this helper is for tests under test/integration.');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const [url, ownerUrl] = [databaseOn(application, name), databaseOn(owner, name)];
  await command(owner, `create database ${name} ${options.empty ? '' : `template ${template}`}`);
  if (!options.empty) await command(ownerUrl, 'insert into stores default values');
  return { url, ownerUrl, drop: () => command(owner, `drop database ${name} with (force)`) };
}

/** A database at the newest schema, to be copied: a copy takes a tenth of the time of the migrations. */
export async function makeTemplateDatabase(
  owner: string,
  application: string,
): Promise<TestDatabase & { name: string }> {
  const name = `template_${randomUUID().replaceAll('-', '')}`;
  const [url, ownerUrl] = [databaseOn(application, name), databaseOn(owner, name)];
  await command(owner, `create database ${name}`);
  await migrateDatabase(ownerUrl, url);
  await changeFacts(ownerUrl, (sql) => sql`delete from stores`); // Each copy is a store of its own.
  return { name, url, ownerUrl, drop: () => command(owner, `drop database ${name} with (force)`) };
}

function databaseOn(server: string, name: string): string {
  const own = new URL(server);
  own.pathname = `/${name}`;
  return own.href;
}

/** Changes facts as a migration may: for tests that need a past. */
export async function changeFacts(ownerUrl: string, work: (sql: postgres.Sql) => Promise<unknown>): Promise<void> {
  const sql = postgres(ownerUrl, { max: 1, onnotice: () => undefined });
  try {
    await sql`select set_config(${migrating}, 'on', false)`;
    await work(sql);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

async function command(url: string, statement: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    await sql.unsafe(statement);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
