import path from 'node:path';
import pino from 'pino';
import { decisionSigner } from '../adapters/decision-keys.js';
import { readFloors } from '../adapters/floors-file.js';
import { createObjectStore } from '../adapters/object-store/object-store.js';
import { logDestination } from '../adapters/log-destination.js';
import { announceReady, onShutdown } from '../adapters/process-lifecycle.js';
import { connectDatabase } from '../db/connect.js';
import { knownNames } from '../domain/browser-requests.js';
import { trustText } from '../domain/decision-trust.js';
import { PerdureError } from '../domain/errors.js';
import { temporalTargetOf } from '../client/temporal-target.js';
import { loadPerdureConfig } from '../perdure.config.js';
import { loadTemporalConfig } from '../temporal.config.js';
import { buildApi } from './build-api.js';
import { createDecisionSender } from './promotion/decision-sender.js';
import { clearUploads } from './data/receive-parquet.js';
import { createModelSchedules } from './triggers/model-schedules.js';
import { askOpenWork } from './stack/ask-open-work.js';
import { createTemporalLink } from './temporal-connection.js';

const uploadBytesMax = 2 * 1024 ** 3;

/** The control API as a process. It starts and stays up whatever of its servers is away. */
async function main(): Promise<void> {
  const config = loadPerdureConfig();
  const { databaseUrl, s3 } = config;
  if (!databaseUrl || !s3.endpoint || !s3.accessKeyId || !s3.secretAccessKey) {
    throw new PerdureError(
      'environment/broken',
      'The control API needs PERDURE_DATABASE_URL, PERDURE_S3_ENDPOINT, AWS_ACCESS_KEY_ID and ' +
        'AWS_SECRET_ACCESS_KEY. `perdure up` sets them.',
    );
  }
  const logger = pino(
    { level: config.logLevel, name: 'api', redact: ['req.headers.authorization', 'req.headers.cookie'] },
    logDestination(),
  );
  const db = connectDatabase(databaseUrl, { max: 10 });
  const objects = createObjectStore({
    endpoint: s3.endpoint,
    region: s3.region,
    bucket: s3.bucket,
    accessKeyId: s3.accessKeyId,
    secretAccessKey: s3.secretAccessKey,
  });
  const temporal = createTemporalLink(loadTemporalConfig());
  const uploadFolder = path.join(config.home, 'uploads');
  await clearUploads(uploadFolder);

  const { trust, signingKeyFile } = config.decisions;
  const signer = signingKeyFile === undefined ? null : await decisionSigner(signingKeyFile);
  logger.info({ trust, keyId: signer?.keyId ?? null }, trustText(trust));

  const app = await buildApi(
    {
      db,
      objects,
      schedules: createModelSchedules(temporal),
      decisions: createDecisionSender({ temporal, trust, signer }),
      environments: config.environments,
      floors: () => readFloors(config.floors),
      pingTemporal: temporal.ping,
      accessFile: config.accessFile,
      temporalPlace: () => temporal.use(temporalTargetOf),
      openWork: () => askOpenWork(db, temporal),
      stack: config.stackId === undefined ? undefined : { id: config.stackId, home: config.home },
      uploadFolder,
      uploadBytesMax,
      knownNames: knownNames(config.host, config.allowedHosts),
    },
    logger,
  );
  onShutdown('connections', async () => {
    await Promise.all([db.close(), temporal.close()]);
    objects.close();
  });
  onShutdown('requests', () => app.close());
  await app.listen({ host: config.host, port: config.ports.api });
  announceReady();
}

main().catch((error: unknown) => {
  process.stderr.write(
    'The control API could not start: ' +
      `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
  );
  process.exit(1);
});
