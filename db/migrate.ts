import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { drizzle } from 'drizzle-orm/postgres-js';
import { migrate } from 'drizzle-orm/postgres-js/migrator';
import postgres from 'postgres';
import { enforceTableRules, migrating } from './enforce-table-rules.js';

const migrationsFolder = path.join(path.dirname(fileURLToPath(import.meta.url)), 'migrations');

/** Any number that only migrations use: two processes that start together migrate one after the other. */
const migrationLock = 7_432_001;

/**
 * Brings a database to the newest schema, and has it hold the rules of its tables. Safe to run at every start and by
 * several processes at once.
 * @param url of the role that owns the tables
 * @param applicationUrl of the role that the application uses; the same one where there is only one role
 */
export async function migrateDatabase(url: string, applicationUrl = url): Promise<void> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 10 });
  try {
    await sql`select pg_advisory_lock(${migrationLock})`;
    await sql`select set_config(${migrating}, 'on', false)`;
    await migrate(drizzle(sql), { migrationsFolder });
    await sql`insert into stores select where not exists (select from stores)`;
    const application = roleOf(applicationUrl);
    await enforceTableRules(sql, application === roleOf(url) ? undefined : application);
  } finally {
    await sql.end({ timeout: 5 });
  }
}

const roleOf = (url: string) => decodeURIComponent(new URL(url).username);

/** How many of the migrations in this checkout a database has, for `perdure doctor`. */
export async function migrationState(url: string): Promise<{ applied: number }> {
  const sql = postgres(url, { max: 1, onnotice: () => {}, connect_timeout: 5 });
  try {
    const [present] = await sql<
      { there: boolean }[]
    >`select to_regclass('drizzle.__drizzle_migrations') is not null as there`;
    if (!present?.there) return { applied: 0 };
    const [row] = await sql<{ applied: number }[]>`select count(*)::int as applied from drizzle.__drizzle_migrations`;
    return { applied: row?.applied ?? 0 };
  } finally {
    await sql.end({ timeout: 5 });
  }
}
