import path from 'node:path';
import type { TestProject } from 'vitest/node';
import { builtGateway } from '../../infra/embedded/processes/built-gateway.js';
import { startNativeServers } from '../../infra/embedded/servers/native-servers.js';
import { withoutOwnServers } from './own-servers.js';
import { makeTemplateDatabase } from '../support/test-database.js';

declare module 'vitest' {
  interface ProvidedContext {
    /** For each worker, the variables with which its test processes join its servers. */
    serversOfWorkers: Record<string, string>[];
  }
}

interface Servers {
  variables: Record<string, string>;
  stop(): Promise<void>;
}

/** Kept by the process, in which each project of the runner loads this file for itself. */
const shared = globalThis as { perdureTestServers?: Promise<Servers[]> | undefined };

/**
 * A PostgreSQL, a Temporal and an S3 for each worker, on free ports and with a state of their own: files that run side
 * by side meet nowhere, and those that one worker runs one after the other share what takes long to start.
 */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  shared.perdureTestServers ??= Promise.all(Array.from({ length: workersOf(project) }, start));
  const servers = await shared.perdureTestServers;
  project.provide(
    'serversOfWorkers',
    servers.map(({ variables }) => variables),
  );
  return async () => {
    if (shared.perdureTestServers === undefined) return;
    shared.perdureTestServers = undefined;
    await Promise.all(servers.map(({ stop }) => stop()));
  };
}

/** As many as the run keeps busy: a single file needs but one. */
function workersOf({ vitest }: TestProject): number {
  const files = vitest.state.getPaths().filter((file) => file.includes('/test/integration/')).length;
  const most = Math.max(...vitest.projects.map(({ config }) => config.maxWorkers));
  return Math.max(1, Math.min(files, most));
}

async function start(): Promise<Servers> {
  const { env, addresses, stop } = await startNativeServers({ environment: withoutOwnServers(process.env) });
  const { databaseUrl, migrationDatabaseUrl } = addresses;
  const template = await makeTemplateDatabase(migrationDatabaseUrl, databaseUrl);
  const gateway = await builtGateway(path.resolve('.'));
  return {
    variables: {
      ...env,
      PERDURE_BUILT_PROGRAMS: path.dirname(gateway),
      PERDURE_MIGRATION_DATABASE_URL: migrationDatabaseUrl,
      PERDURE_TEST_TEMPLATE_DATABASE: template.name,
    },
    async stop() {
      await template.drop();
      await stop();
    },
  };
}
