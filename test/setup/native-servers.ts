import type { TestProject } from 'vitest/node';
import { migrateDatabase } from '../../db/migrate.js';
import { startNativeServers } from '../../infra/embedded/servers/native-servers.js';
import { withoutOwnServers } from './own-servers.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** The variables with which a test process joins the suite's servers. */
    stackEnvironment: Record<string, string>;
    /** Where the suite's servers keep their state and logs. */
    stackHome: string;
  }
}

/** One PostgreSQL, Temporal and S3 for all integration tests, on free ports, with a state of their own. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const servers = await startNativeServers({ environment: withoutOwnServers(process.env) });
  const { databaseUrl, migrationDatabaseUrl } = servers.addresses;
  await migrateDatabase(migrationDatabaseUrl, databaseUrl);
  project.provide('stackEnvironment', { ...servers.env, PERDURE_MIGRATION_DATABASE_URL: migrationDatabaseUrl });
  project.provide('stackHome', servers.config.home);
  return () => servers.stop();
}
