import { drizzle } from 'drizzle-orm/postgres-js';
import postgres from 'postgres';
import * as schema from './schema/index.js';

const build = (sql: postgres.Sql) => drizzle(sql, { schema });

export interface Database {
  sql: postgres.Sql;
  orm: ReturnType<typeof build>;
  close(): Promise<void>;
}

export interface ConnectOptions {
  /** Connections at most. */
  max?: number;
  /** Milliseconds after which a statement is given up. */
  statementTimeoutMs?: number;
}

/** Opens a pool; connects on first use and again by itself after the server was away. */
export function connectDatabase(url: string, { max = 5, statementTimeoutMs = 15_000 }: ConnectOptions = {}): Database {
  const sql = postgres(url, {
    max,
    connect_timeout: 5,
    idle_timeout: 60,
    onnotice: () => {},
    connection: { application_name: 'perdure', statement_timeout: statementTimeoutMs, TimeZone: 'UTC' },
  });
  return { sql, orm: build(sql), close: () => sql.end({ timeout: 5 }) };
}
