import { mkdir } from 'node:fs/promises';
import { migrateDatabase } from '../db/migrate.js';
import { objectStoreComponent } from '../infra/embedded/servers/object-store.js';
import { freePortVariables } from '../infra/embedded/servers/native-servers.js';
import { applicationUrl, postgresComponent, postgresUrl } from '../infra/embedded/servers/postgres.js';
import { loadSecrets } from '../infra/embedded/secrets.js';
import { superviseComponent } from '../infra/embedded/supervision/supervise.js';

export interface BenchServers {
  databaseUrl: string;
  store: { endpoint: string; region: string; bucket: string; accessKeyId: string; secretAccessKey: string };
  stop: () => Promise<void>;
}

const host = '127.0.0.1';

/**
 * PostgreSQL and S3 of the embedded stack on free ports, at the newest schema, their state in `home`. No Temporal:
 * serving does without.
 */
export async function startServers(projectRoot: string, home: string): Promise<BenchServers> {
  await mkdir(home, { recursive: true });
  const ports = await freePortVariables(host);
  const secrets = loadSecrets(home);
  const { s3AccessKeyId: accessKeyId, s3SecretAccessKey: secretAccessKey } = secrets;
  const passwords = { password: secrets.postgresPassword, applicationPassword: secrets.postgresApplicationPassword };
  const postgres = { home, host, port: Number(ports['PERDURE_POSTGRES_PORT']), ...passwords };
  const port = Number(ports['PERDURE_S3_PORT']);
  const store = {
    endpoint: `http://${host}:${port}`,
    region: 'us-east-1',
    bucket: 'perdure',
    accessKeyId,
    secretAccessKey,
  };
  const components = [
    postgresComponent(postgres),
    objectStoreComponent({ projectRoot, home, host, port, ...store }),
  ].map((spec) =>
    superviseComponent(
      home,
      spec,
      () => undefined,
      () => undefined,
    ),
  );
  const stop = async () => void (await Promise.all(components.map((component) => component.stop())));
  try {
    await Promise.all(components.map((component) => component.start(new AbortController().signal)));
    await migrateDatabase(postgresUrl(postgres), applicationUrl(postgres));
  } catch (error) {
    await stop();
    throw error;
  }
  return { databaseUrl: applicationUrl(postgres), store, stop };
}
