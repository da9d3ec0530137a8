import path from 'node:path';
import { pino } from 'pino';
import { logDestination } from '../adapters/log-destination.js';
import { announceReady, onShutdown } from '../adapters/process-lifecycle.js';
import type { Database } from '../db/connect.js';
import type { ArtifactSource } from './control-plane/control-plane.js';
import { controlPlaneOnDemand } from './control-plane/control-plane-on-demand.js';
import { buildGateway } from './gateway.js';
import { stopMaxMs } from './gateway-limits.js';
import { bytesPerMb, gatewayIdOf, keyHashSecretOf, loadGatewayConfig } from './gateway-config.js';
import { knownNames } from '../domain/browser-requests.js';
import product from '../package.json' with { type: 'json' };

const config = loadGatewayConfig();
const home = path.resolve(config.PERDURE_GATEWAY_HOME);
const environment = config.PERDURE_GATEWAY_ENVIRONMENT;
const log = pino(
  {
    level: config.PERDURE_LOG_LEVEL,
    base: { process: 'gateway', environment },
    timestamp: pino.stdTimeFunctions.isoTime,
  },
  logDestination(),
);

const store = {
  endpoint: config.PERDURE_S3_ENDPOINT,
  region: config.PERDURE_S3_REGION,
  bucket: config.PERDURE_S3_BUCKET,
  accessKeyId: config.AWS_ACCESS_KEY_ID,
  secretAccessKey: config.AWS_SECRET_ACCESS_KEY,
};
// The drivers of PostgreSQL and S3 take longer to load than everything that answers requests: they come when they are
// first needed.
let db: Database | undefined;
onShutdown('database', () => db?.close());
const controlPlane = controlPlaneOnDemand(async () => {
  const [{ connectDatabase }, { postgresControlPlane }] = await Promise.all([
    import('../db/connect.js'),
    import('./control-plane/postgres-control-plane.js'),
  ]);
  db = connectDatabase(config.PERDURE_DATABASE_URL, { max: 4, statementTimeoutMs: 5_000 });
  return postgresControlPlane(db);
});
const artifacts: ArtifactSource = {
  async getToFile(key, file, options) {
    const { createObjectStore } = await import('../adapters/object-store/object-store.js');
    const objectStore = createObjectStore(store);
    try {
      return await objectStore.getToFile(key, file, options);
    } finally {
      objectStore.close();
    }
  },
};

const gateway = await buildGateway({
  gatewayId: await gatewayIdOf(home, environment),
  environment,
  url: config.PERDURE_GATEWAY_URL ?? `http://${config.PERDURE_HOST}:${config.PERDURE_GATEWAY_PORT}`,
  home,
  stack: config.PERDURE_STACK_ID === undefined ? undefined : { id: config.PERDURE_STACK_ID, home: config.PERDURE_HOME },
  productVersion: product.version,
  controlPlane,
  artifacts,
  objectStore: store,
  keyHashSecret: keyHashSecretOf(config),
  knownNames: knownNames(config.PERDURE_HOST, config.PERDURE_ALLOWED_HOSTS),
  log,
  limits: {
    engine: { residentMaxMb: config.PERDURE_GATEWAY_MODEL_MEMORY_MAX_MB },
    bodyBytesMax: config.PERDURE_GATEWAY_BODY_MAX_MB * bytesPerMb,
    bodiesBytesMax: config.PERDURE_GATEWAY_BODIES_MAX_MB * bytesPerMb,
    bodyTimeoutMs: config.PERDURE_GATEWAY_BODY_SECONDS * 1000,
    spoolBytesMax: config.PERDURE_GATEWAY_SPOOL_MAX_MB * bytesPerMb,
    segmentAgeMaxMs: config.PERDURE_GATEWAY_SEGMENT_SECONDS * 1000,
  },
});

onShutdown('gateway', () => gateway.stop(), stopMaxMs);
await gateway.start();
await gateway.app.listen({ host: config.PERDURE_HOST, port: config.PERDURE_GATEWAY_PORT });
if (config.PERDURE_GATEWAY_GRPC_PORT !== undefined)
  await gateway.listenGrpc({ host: config.PERDURE_HOST, port: config.PERDURE_GATEWAY_GRPC_PORT });
announceReady();
