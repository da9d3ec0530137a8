import path from 'node:path';
import type { Environment } from '../../domain/names.js';
import { gatewayVariables, type PerdureConfig } from '../../perdure.config.js';
import { loadTemporalConfig } from '../../temporal.config.js';
import { awsNodeWarningOff } from './servers/bucket.js';
import { applicationUrl, postgresUrl, type PostgresOptions } from './servers/postgres.js';
import type { DecisionKeyFiles } from './decision-keys.js';
import type { StackSecrets } from './secrets.js';
import { writeStateFile } from './state-file.js';

/** Which servers are the stack's own, and where everything answers. */
export interface StackAddresses {
  api: string;
  /** By environment, started or not. */
  gateways: Record<Environment, string>;
  /** host:port, as gRPC clients want it. */
  gatewaysGrpc: Record<Environment, string>;
  temporal: string;
  /** Undefined for a Temporal of one's own, whose UI we do not know. */
  temporalUi: string | undefined;
  temporalNamespace: string;
  /** With the role that the application uses. */
  databaseUrl: string;
  /** With the role that owns the tables; the same where one's own server has only one. */
  migrationDatabaseUrl: string;
  s3Endpoint: string;
  embedded: { postgres: boolean; temporal: boolean; s3: boolean };
}

/** Where the servers of this configuration answer: the user's own where a variable names one, else the embedded one. */
export function stackAddresses(
  config: PerdureConfig,
  secrets: StackSecrets,
  environment: NodeJS.ProcessEnv,
): StackAddresses {
  const ownTemporal = Boolean(environment.TEMPORAL_ADDRESS);
  return {
    api: config.apiUrl,
    gateways: Object.fromEntries(config.environments.map(({ name, url }) => [name, url])),
    gatewaysGrpc: Object.fromEntries(config.environments.map(({ name, grpcAddress }) => [name, grpcAddress])),
    temporal: ownTemporal
      ? loadTemporalConfig(environment).connection.address
      : `${config.host}:${config.ports.temporal}`,
    temporalUi: ownTemporal ? undefined : `http://${config.host}:${config.ports.temporalUi}`,
    temporalNamespace: ownTemporal
      ? loadTemporalConfig(environment).namespace
      : environment.TEMPORAL_NAMESPACE || 'default',
    databaseUrl: config.databaseUrl ?? applicationUrl(postgresOptions(config, secrets)),
    migrationDatabaseUrl: config.databaseUrl
      ? (config.migrationDatabaseUrl ?? config.databaseUrl)
      : postgresUrl(postgresOptions(config, secrets)),
    s3Endpoint: config.s3.endpoint ?? `http://${config.host}:${config.ports.s3}`,
    embedded: { postgres: !config.databaseUrl, temporal: !ownTemporal, s3: !config.s3.endpoint },
  };
}

export function postgresOptions({ home, host, ports }: PerdureConfig, secrets: StackSecrets): PostgresOptions {
  const { postgresPassword: password, postgresApplicationPassword: applicationPassword } = secrets;
  return { home, host, port: ports.postgres, password, applicationPassword };
}

/** The variables with which any process of this product joins the stack. */
export function stackVariables(
  config: PerdureConfig,
  { secrets, keys, stackId }: { secrets: StackSecrets; keys: DecisionKeyFiles; stackId: string },
  addresses: StackAddresses,
): Record<string, string> {
  const { accessKeyId, secretAccessKey } = config.s3.endpoint
    ? config.s3
    : { accessKeyId: secrets.s3AccessKeyId, secretAccessKey: secrets.s3SecretAccessKey };
  return {
    PERDURE_HOME: config.home,
    PERDURE_STACK_ID: stackId,
    PERDURE_HOST: config.host,
    PERDURE_API_PORT: String(config.ports.api),
    ...gatewayPorts(config),
    PERDURE_TEMPORAL_PORT: String(config.ports.temporal),
    PERDURE_TEMPORAL_UI_PORT: String(config.ports.temporalUi),
    PERDURE_DATABASE_URL: addresses.databaseUrl,
    PERDURE_S3_ENDPOINT: addresses.s3Endpoint,
    PERDURE_S3_BUCKET: config.s3.bucket,
    PERDURE_S3_REGION: config.s3.region,
    ...(accessKeyId ? { AWS_ACCESS_KEY_ID: accessKeyId } : {}),
    ...(secretAccessKey ? { AWS_SECRET_ACCESS_KEY: secretAccessKey } : {}),
    PERDURE_ACCESS_FILE: config.accessFile,
    ...(config.floors.file ? { PERDURE_FLOORS_FILE: config.floors.file } : {}),
    PERDURE_DECISION_TRUST: config.decisions.trust,
    PERDURE_VERIFYING_KEYS_FILE: keys.verifying,
    PERDURE_KEY_HASH_SECRET: config.keyHashSecret ?? secrets.keyHashSecret,
    [awsNodeWarningOff]: 'true',
    TEMPORAL_ADDRESS: addresses.temporal,
    TEMPORAL_NAMESPACE: addresses.temporalNamespace,
    ...(addresses.embedded.temporal ? { TEMPORAL_CONFIG_FILE: path.join(config.home, 'run', 'temporal.toml') } : {}),
  };
}

const gatewayPorts = ({ environments }: PerdureConfig): Record<string, string> =>
  Object.fromEntries(
    environments.flatMap(({ name, port, grpcPort }) => {
      const variables = gatewayVariables(name);
      return [
        [variables.port, String(port)],
        [variables.grpcPort, String(grpcPort)],
      ];
    }),
  );

/** Where the gateway of an environment answers. @throws an Error where the stack has no such environment. */
export function addressOf(gateways: Readonly<Record<Environment, string>>, environment: Environment): string {
  const address = gateways[environment];
  if (address !== undefined) return address;
  throw new Error(`the stack has no environment ${environment}: it has ${Object.keys(gateways).join(', ')}`);
}

/**
 * The caller's environment with the stack's variables, and without the role that migrates; for the embedded Temporal
 * without the user's profile, TLS and API key for another one.
 */
export function stackProcessEnvironment(
  environment: NodeJS.ProcessEnv,
  variables: Record<string, string>,
  embeddedTemporal: boolean,
): NodeJS.ProcessEnv {
  const kept = Object.entries(environment).filter(
    ([name]) => name !== 'PERDURE_MIGRATION_DATABASE_URL' && !(embeddedTemporal && name.startsWith('TEMPORAL_')),
  );
  return { ...Object.fromEntries(kept), ...variables };
}

/**
 * The embedded Temporal's client configuration is complete in the variables: an empty file keeps a user's own profile
 * out. Put back where it was removed; on a full disk the one that is there stays.
 */
export function keepTemporalProfile(home: string): void {
  try {
    // The SDK fails on a file without any profile.
    writeStateFile(path.join(home, 'run', 'temporal.toml'), '[profile.default]\n');
  } catch {
    // Tried again.
  }
}
