import { randomUUID } from 'node:crypto';
import postgres from 'postgres';
import { migrateDatabase } from '../../db/migrate.js';

export interface TestDatabase {
  url: string;
  drop(): Promise<void>;
}

/** A database of one's own on the suite's PostgreSQL, at the newest schema unless `empty`. */
export async function createTestDatabase(options: { empty?: boolean } = {}): Promise<TestDatabase> {
  const server = process.env.PERDURE_DATABASE_URL;
  if (!server) throw new Error('PERDURE_DATABASE_URL is not set: this helper is for tests under test/integration.');
  const name = `test_${randomUUID().replaceAll('-', '')}`;
  const url = new URL(server);
  url.pathname = `/${name}`;
  await command(server, `create database ${name}`);
  if (!options.empty) await migrateDatabase(url.href);
  return { url: url.href, drop: () => command(server, `drop database ${name} with (force)`) };
}

async function command(url: string, statement: string): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => undefined });
  try {
    await sql.unsafe(statement);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
