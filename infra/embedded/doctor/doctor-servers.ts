import { readdirSync } from 'node:fs';
import path from 'node:path';
import { gatewayVariables, type PerdureConfig } from '../../../perdure.config.js';
import { loadTemporalConfig } from '../../../temporal.config.js';
import { ensureBucket } from '../servers/bucket.js';
import { note, ok, problem, type Check } from '../../../oversight/check.js';
import { answerWithin } from './answer-within.js';
import { databaseRoleCheck } from './doctor-database.js';
import { gatewayChecks } from './doctor-gateways.js';
import { checkOwnDatabase } from '../servers/external-servers.js';
import { objectStorePorts } from '../servers/object-store.js';
import { lakeCheck } from './doctor-lake.js';
import { openWorkChecks } from './ask-open-work.js';
import { describeOwner, portOwner } from '../processes/port-owner.js';
import { canListen } from '../processes/ports.js';
import { replayOpenWorkflows, stuckText, type ReplayPlace } from '../replay-open-workflows.js';
import { readStackFile } from '../stack-file.js';
import { currentSupervisor } from '../supervision/supervisor-lock.js';
import { checkTemporal } from '../servers/temporal-check.js';
import { messageOf } from '../../../domain/errors.js';

/** Of many open workflows each is asked. */
const openWorkWithinMs = 30_000;

/**
 * With a running stack: does each part answer, and hold what it must. Without one: are the ports free, and do the
 * user's own servers answer.
 */
export async function serverChecks(
  config: PerdureConfig,
  environment: NodeJS.ProcessEnv,
  { replay = false } = {},
): Promise<Check[]> {
  const running = currentSupervisor(config.home) ? readStackFile(config.home) : undefined;
  if (!running) return [...(await portChecks(config, environment)), ...(await ownServerChecks(config, environment))];
  const { addresses, env } = running;
  const temporal = { address: addresses.temporal };
  const bucket = {
    endpoint: addresses.s3Endpoint,
    region: config.s3.region,
    bucket: env.PERDURE_S3_BUCKET ?? config.s3.bucket,
    accessKeyId: env.AWS_ACCESS_KEY_ID,
    secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
  };
  const temporalOptions = addresses.embedded.temporal ? temporal : loadTemporalConfig(environment).connection;
  const components = running.components.map(({ name, state, restarts, lastError, logFile }) =>
    isWell(state, lastError)
      ? ok(name, restarts > 0 ? `${state}, restarted ${restarts} times` : state)
      : problem(
          name,
          `${state}${lastError ? `: ${lastError}` : ''}`,
          `Read ${logFile ?? 'its log'}; it is restarted automatically.`,
        ),
  );
  const { databaseUrl } = addresses;
  const asked = [
    answerWithin(
      'PostgreSQL',
      answers('PostgreSQL', databaseUrl.replace(/:[^:@/]*@/, '@'), () => checkOwnDatabase(databaseUrl)),
    ),
    answerWithin('migrations', migrationsCheck(config, databaseUrl)),
    answerWithin('database role', databaseRoleCheck(databaseUrl)),
    answerWithin(
      'Temporal',
      answers('Temporal', `${addresses.temporal}, search attributes present`, () =>
        checkTemporal(temporalOptions, addresses.temporalNamespace),
      ),
    ),
    answerWithin(
      'S3',
      answers('S3', `${addresses.s3Endpoint}, bucket ${bucket.bucket}`, () => ensureBucket(bucket, 'check')),
    ),
    answerWithin('lake', lakeCheck(databaseUrl, bucket)),
    ...(replay
      ? [
          replayCheck({
            projectRoot: config.projectRoot,
            env: { ...environment, ...env },
            temporal: temporalOptions,
            namespace: addresses.temporalNamespace,
          }),
        ]
      : []),
    answerWithin(
      'open work',
      openWorkChecks(databaseUrl, loadTemporalConfig({ ...environment, ...env })),
      openWorkWithinMs,
    ),
    answerWithin('gateways', gatewayChecks(addresses.gateways)),
  ];
  return [...components, ...(await Promise.all(asked)).flat()];
}

/** What starts on demand is well while nothing asks for it. */
const isWell = (state: string, lastError: string | undefined): boolean =>
  state === 'running' || state === 'external' || (state === 'on-demand' && lastError === undefined);

async function replayCheck(place: ReplayPlace): Promise<Check> {
  try {
    const report = await replayOpenWorkflows(place);
    const stuck = stuckText(report);
    if (stuck !== undefined) return problem('open workflows', stuck, 'See the Temporal UI for what each has done.');
    return ok(
      'open workflows',
      `${report.replayed} replayed: they run on with this ` +
        `code${report.isWhole ? '' : '; there are more, which were not replayed'}`,
    );
  } catch (error) {
    return problem('open workflows', `not replayed: ${messageOf(error)}`, 'See the line on Temporal.');
  }
}

async function portChecks(
  { home, host, ports, environments, databaseUrl, s3 }: PerdureConfig,
  environment: NodeJS.ProcessEnv,
): Promise<Check[]> {
  const s3Ports = Object.entries(objectStorePorts).filter(([part]) => part !== 'grpc');
  const claims: [name: string, port: number, variable: string][] = [
    ['control API', ports.api, 'PERDURE_API_PORT'],
    ...environments.flatMap(({ name, port, grpcPort }): [string, number, string][] => [
      [`gateway (${name})`, port, gatewayVariables(name).port],
      [`gateway (${name}), gRPC`, grpcPort, gatewayVariables(name).grpcPort],
    ]),
  ];
  if (!environment.TEMPORAL_ADDRESS)
    claims.push(
      ['Temporal', ports.temporal, 'PERDURE_TEMPORAL_PORT'],
      ['Temporal UI', ports.temporalUi, 'PERDURE_TEMPORAL_UI_PORT'],
    );
  if (!databaseUrl) claims.push(['PostgreSQL', ports.postgres, 'PERDURE_POSTGRES_PORT']);
  if (!s3.endpoint)
    for (const [part, offset] of s3Ports)
      claims.push([part === 's3' ? 'S3' : `S3 ${part}`, ports.s3 + offset, 'PERDURE_S3_PORT']);
  return Promise.all(
    claims.map(async ([name, port, variable]) => {
      if (await canListen(host, port)) return ok(`port ${port}`, `free for ${name}`);
      const owner = portOwner(port);
      if (owner?.home === home)
        return note(`port ${port}`, `${describeOwner(owner)} has it`, 'See the line on the supervisor.');
      return problem(
        `port ${port}`,
        `${name} needs it, ${describeOwner(owner)} has it`,
        `Stop that process, or set ${variable} to a free port.`,
      );
    }),
  );
}

async function ownServerChecks(config: PerdureConfig, environment: NodeJS.ProcessEnv): Promise<Check[]> {
  const checks: Promise<Check>[] = [];
  const { databaseUrl, s3 } = config;
  if (databaseUrl) {
    checks.push(
      answers('PostgreSQL', 'answers', () => checkOwnDatabase(databaseUrl)),
      migrationsCheck(config, databaseUrl),
      databaseRoleCheck(databaseUrl),
    );
  }
  if (s3.endpoint) {
    const access = { ...s3, endpoint: s3.endpoint };
    checks.push(answers('S3', `${s3.endpoint}, bucket ${s3.bucket}`, () => ensureBucket(access, 'check')));
  }
  if (environment.TEMPORAL_ADDRESS) {
    const { connection, namespace } = loadTemporalConfig(environment);
    checks.push(
      answers('Temporal', `${connection.address}, search attributes present`, () =>
        checkTemporal(connection, namespace),
      ),
    );
  }
  return Promise.all(checks);
}

async function migrationsCheck({ projectRoot }: PerdureConfig, databaseUrl: string): Promise<Check> {
  const known = readdirSync(path.join(projectRoot, 'db', 'migrations')).filter((file) => file.endsWith('.sql')).length;
  try {
    const { migrationState } = await import('../../../db/migrate.js');
    const { applied } = await migrationState(databaseUrl);
    if (applied === known) return ok('migrations', `all ${known} applied`);
    if (applied > known)
      return problem(
        'migrations',
        `the database has ${applied}, this checkout only ${known}`,
        'Use the newer checkout with this database.',
      );
    return problem('migrations', `${applied} of ${known} applied`, 'Start the stack: it applies them.');
  } catch (error) {
    return problem('migrations', messageOf(error), 'See the line on PostgreSQL.');
  }
}

async function answers(name: string, finding: string, check: () => Promise<void>): Promise<Check> {
  try {
    await check();
    return ok(name, finding);
  } catch (error) {
    return problem(
      name,
      messageOf(error),
      'Start the stack with `npx perdure up`; if it runs, read its log ' + 'with `npx perdure status`.',
    );
  }
}
