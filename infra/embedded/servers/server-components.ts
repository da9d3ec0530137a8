import { type PerdureConfig } from '../../../perdure.config.js';
import type { ComponentReport, ComponentSpec } from '../processes/component.js';
import { checkOwnDatabase, checkOwnObjectStore, checkOwnTemporal } from './external-servers.js';
import { objectStoreComponent } from './object-store.js';
import { postgresComponent } from './postgres.js';
import { type StackSecrets } from '../secrets.js';
import { postgresOptions, type StackAddresses } from '../stack-environment.js';
import { temporalComponent } from './temporal.js';

export async function serverComponents(
  config: PerdureConfig,
  secrets: StackSecrets,
  addresses: StackAddresses,
): Promise<ComponentSpec[]> {
  const { projectRoot, home, host, ports } = config;
  const specs: ComponentSpec[] = [];
  if (addresses.embedded.postgres) specs.push(postgresComponent(postgresOptions(config, secrets)));
  if (addresses.embedded.temporal) {
    const namespace = addresses.temporalNamespace;
    specs.push(
      await temporalComponent({ projectRoot, home, host, port: ports.temporal, uiPort: ports.temporalUi, namespace }),
    );
  }
  if (addresses.embedded.s3) {
    const { bucket, region } = config.s3;
    const keys = { accessKeyId: secrets.s3AccessKeyId, secretAccessKey: secrets.s3SecretAccessKey };
    specs.push(objectStoreComponent({ projectRoot, home, host, port: ports.s3, bucket, region, ...keys }));
  }
  return specs;
}

/** Asks the servers that somebody else runs whether they can be used. */
export async function checkOwnServers(
  config: PerdureConfig,
  addresses: StackAddresses,
  environment: NodeJS.ProcessEnv,
): Promise<void> {
  await Promise.all([
    addresses.embedded.postgres ? undefined : checkOwnDatabase(addresses.databaseUrl),
    addresses.embedded.temporal ? undefined : checkOwnTemporal(environment),
    addresses.embedded.s3 ? undefined : checkOwnObjectStore({ ...config.s3, endpoint: addresses.s3Endpoint }),
  ]);
}

/** What `status` says of servers that somebody else runs. */
export function externalReports(addresses: StackAddresses): ComponentReport[] {
  const own = [
    ['postgres', addresses.embedded.postgres, new URL(addresses.databaseUrl).host],
    ['temporal', addresses.embedded.temporal, addresses.temporal],
    ['s3', addresses.embedded.s3, addresses.s3Endpoint],
  ] as const;
  return own
    .filter(([, embedded]) => !embedded)
    .map(([name, , address]) => ({
      name,
      state: 'external',
      pid: undefined,
      address,
      version: undefined,
      logFile: undefined,
      startedAt: undefined,
      restarts: 0,
      lastError: undefined,
    }));
}
