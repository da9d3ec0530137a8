import postgres from 'postgres';
import { PerdureError, messageOf } from '../../../domain/errors.js';
import { loadTemporalConfig } from '../../../temporal.config.js';
import { checkBucketWritable, ensureBucket, type BucketAccess } from './bucket.js';
import { ensureSearchAttributes } from './search-attributes.js';
import { checkTemporal } from './temporal-check.js';

/** @throws PerdureError `server/unreachable` that names the variable and the server, without the password. */
export async function checkOwnDatabase(databaseUrl: string): Promise<void> {
  const sql = postgres(databaseUrl, { max: 1, connect_timeout: 10, fetch_types: false, onnotice: () => undefined });
  try {
    await sql`select 1`;
  } catch (error) {
    throw unreachable('PERDURE_DATABASE_URL', withoutPassword(databaseUrl), error);
  } finally {
    await sql.end({ timeout: 1 });
  }
}

/** Checks the user's own object store and makes the bucket when it is absent. */
export async function checkOwnObjectStore(access: BucketAccess): Promise<void> {
  try {
    await ensureBucket(access, 'create');
    await checkBucketWritable(access);
  } catch (error) {
    throw unreachable('PERDURE_S3_ENDPOINT', access.endpoint, error);
  }
}

/** Checks the user's own Temporal and adds the search attributes that the namespace lacks. */
export async function checkOwnTemporal(environment: NodeJS.ProcessEnv): Promise<void> {
  const { connection, namespace } = loadTemporalConfig(environment);
  try {
    await ensureSearchAttributes(connection, namespace);
    await checkTemporal(connection, namespace);
  } catch (error) {
    throw unreachable('TEMPORAL_ADDRESS', `${connection.address}, namespace ${namespace}`, error);
  }
}

function unreachable(variable: string, server: string, cause: unknown): PerdureError {
  const message = messageOf(cause);
  return new PerdureError(
    'server/unreachable',
    `The server of ${variable} (${server}) is not usable: ${message}. Start or correct it, or unset ` +
      `${variable} for the embedded one.`,
    { variable },
  );
}

function withoutPassword(url: string): string {
  const parsed = new URL(url);
  parsed.password = '';
  return parsed.href;
}
