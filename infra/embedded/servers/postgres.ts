import { execFile } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import postgres from 'postgres';
import { PerdureError } from '../../../domain/errors.js';
import type { ComponentSpec } from '../processes/component.js';
import { postgresPrograms, unprivileged } from './postgres-programs.js';
import { endProcess, identify } from '../processes/end-process.js';

const execute = promisify(execFile);
/** Owns the tables and migrates them. */
const user = 'perdure';
/** What API, workers and gateways are: it owns nothing, and may do what `db/table-rules.ts` grants. */
const application = 'perdure_app';
const database = 'perdure';

export interface PostgresOptions {
  home: string;
  host: string;
  port: number;
  password: string;
  applicationPassword: string;
}

/** The URL of the role that migrates. */
export function postgresUrl(options: PostgresOptions, name = database): string {
  return `postgres://${user}:${encodeURIComponent(options.password)}@${options.host}:${options.port}/${name}`;
}

/** The URL of the role that the application uses. */
export function applicationUrl({ host, port, applicationPassword }: PostgresOptions): string {
  return `postgres://${application}:${encodeURIComponent(applicationPassword)}@${host}:${port}/${database}`;
}

/** A PostgreSQL server of one's own in `<home>/postgres`: loopback only, password by SCRAM, durable settings. */
export function postgresComponent(options: PostgresOptions): ComponentSpec {
  const programs = postgresPrograms();
  const dataFolder = path.join(options.home, 'postgres');
  let databaseMade = false;
  return {
    name: 'postgres',
    kind: 'server',
    address: `${options.host}:${options.port}`,
    version: programs.version,
    ports: [{ port: options.port, variable: 'PERDURE_POSTGRES_PORT', purpose: 'PostgreSQL' }],
    async prepare() {
      await initializeOnce(dataFolder, programs.initdb, options.password);
      await clearStaleOwner(dataFolder);
    },
    command() {
      const settings = [
        `listen_addresses=${options.host}`,
        'unix_socket_directories=',
        'timezone=UTC',
        'log_timezone=UTC',
        'max_connections=120',
      ];
      const args = ['-D', dataFolder, '-p', String(options.port), ...settings.flatMap((setting) => ['-c', setting])];
      return { ...unprivileged(programs.postgres, args), env: serverEnvironment(), cwd: dataFolder };
    },
    async check() {
      if (!databaseMade) {
        await createDatabase(options, dataFolder);
        databaseMade = true;
      }
      await ask(postgresUrl(options), async (sql) => sql`select 1`);
    },
    stopSignal: 'SIGINT', // PostgreSQL's "fast" shutdown: sessions are ended, data is flushed.
    graceMs: 15_000,
    startTimeoutMs: 60_000,
  };
}

/** Runs `initdb` beside its final place and moves it there, so that an interrupted one never looks like a database. */
async function initializeOnce(dataFolder: string, initdb: string, password: string): Promise<void> {
  if (existsSync(path.join(dataFolder, 'PG_VERSION'))) return;
  const fresh = `${dataFolder}.new`;
  const passwordFile = `${dataFolder}.password`;
  rmSync(fresh, { recursive: true, force: true });
  mkdirSync(fresh, { recursive: true, mode: 0o700 });
  writeFileSync(passwordFile, `${password}\n`, { mode: 0o600 });
  const args = [
    '-D',
    fresh,
    '-U',
    user,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--locale=C',
  ];
  const run = unprivileged(initdb, args);
  if (run.ownerId !== undefined) for (const file of [fresh, passwordFile]) chownSync(file, run.ownerId, run.ownerId);
  try {
    await execute(run.file, run.args, { env: serverEnvironment(), cwd: path.dirname(dataFolder) });
  } catch (error) {
    const output = error instanceof Error && 'stderr' in error ? String(error.stderr).trim() : String(error);
    throw new PerdureError(
      'environment/broken',
      `PostgreSQL could not create its data folder ${dataFolder}: ${output}. Check free space and permissions.`,
    );
  } finally {
    rmSync(passwordFile, { force: true });
  }
  renameSync(fresh, dataFolder);
}

/**
 * The supervisor holds the home's lock, so a `postmaster.pid` is either a server of this folder that nobody watches,
 * which is ended, or names a process that is something else by now, which would keep PostgreSQL from starting: then the
 * file goes.
 */
async function clearStaleOwner(dataFolder: string): Promise<void> {
  const file = path.join(dataFolder, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  const identity = Number.isInteger(pid) && pid > 0 ? identify(pid) : undefined;
  if (identity && (await commandLine(pid)).includes(dataFolder)) await endProcess(identity, 'SIGINT', 15_000);
  rmSync(file, { force: true });
}

async function commandLine(pid: number): Promise<string> {
  if (process.platform === 'linux') return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  return (await execute('ps', ['-o', 'command=', '-p', String(pid)])).stdout;
}

async function createDatabase(options: PostgresOptions, dataFolder: string): Promise<void> {
  await ask(postgresUrl(options, 'postgres'), async (sql) => {
    const [row] = await sql<{ folder: string }[]>`select current_setting('data_directory') as folder`;
    if (row?.folder !== dataFolder) {
      throw new PerdureError(
        'environment/broken',
        `Port ${options.port} answers as the PostgreSQL of ${row?.folder}, not of ${dataFolder}. Set ` +
          'PERDURE_POSTGRES_PORT to a free port.',
      );
    }
    const existing = await sql`select 1 from pg_database where datname = ${database}`;
    if (existing.length === 0) await sql.unsafe(`create database ${database}`);
    const role = await sql`select 1 from pg_roles where rolname = ${application}`;
    if (role.length === 0) await sql.unsafe(`create role ${application}`);
    const [password] = await sql<{ quoted: string }[]>`select quote_literal(${options.applicationPassword}) as quoted`;
    await sql.unsafe(
      `alter role ${application} with login nosuperuser nocreatedb nocreaterole noreplication nobypassrls ` +
        `password ${password?.quoted}`,
    );
  });
}

/**
 * Asks without the types of arrays: nobody awaits the driver's question for them, and where a broken server refuses it
 * the refusal would end this process.
 */
async function ask<T>(url: string, question: (sql: postgres.Sql) => Promise<T>): Promise<T> {
  const sql = postgres(url, {
    max: 1,
    connect_timeout: 3,
    idle_timeout: 1,
    fetch_types: false,
    onnotice: () => undefined,
  });
  try {
    return await question(sql);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/**
 * PG… variables of the user's shell would change where the server looks; a fixed locale keeps its messages readable by
 * us.
 */
function serverEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !name.startsWith('PG'));
  return { ...Object.fromEntries(kept), LC_ALL: 'C' };
}
