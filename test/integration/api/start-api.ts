import { loadPerdureConfig } from '../../../perdure.config.js';
import { randomUUID } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createObjectStore, type ObjectStore } from '../../../adapters/object-store/object-store.js';
import { decisionSigner, newDecisionKeys } from '../../../adapters/decision-keys.js';
import { buildApi, type ControlApi } from '../../../api/build-api.js';
import { createDecisionSender } from '../../../api/promotion/decision-sender.js';
import { createModelSchedules } from '../../../api/triggers/model-schedules.js';
import { askOpenWork } from '../../../api/stack/ask-open-work.js';
import { createTemporalLink } from '../../../api/temporal-connection.js';
import { createApiClient, type ApiClient } from '../../../client/http/api-client.js';
import { temporalTargetOf } from '../../../client/temporal-target.js';
import type { StackIdentity } from '../../../domain/stack-identity.js';
import { connectDatabase, type Database } from '../../../db/connect.js';
import type { DecisionTrust } from '../../../domain/decision-trust.js';
import type { Floors } from '../../../domain/promotion/floor.js';
import { parseModelDefinition } from '../../../domain/model/parse-definition.js';
import { type ModelDefinition } from '../../../domain/model/model-definition.js';
import flightDelay from '../../../models/flight-delay/model.js';
import { loadTemporalConfig } from '../../../temporal.config.js';
import { createTestDatabase } from '../../support/test-database.js';
import { runCommandLine } from '../../unit/cli/run-command-line.js';

export interface TestApi {
  app: ControlApi;
  api: ApiClient;
  db: Database;
  url: string;
  /** Its database with the role that owns the tables. */
  ownerUrl: string;
  store: ObjectStore;
  uploadFolder: string;
  /** The public keys that fit what the API signs with. */
  verifyingKeysFile: string;
  /** Runs a command line against this API. */
  perdure(...argv: string[]): ReturnType<typeof runCommandLine>;
  close(): Promise<void>;
}

/** The control API on a port of its own, on the suite's real servers, with a database and a bucket of its own. */
export async function startApi({
  uploadBytesMax = 10_000_000,
  trust = 'frontend',
  stack,
  floors = {},
}: { uploadBytesMax?: number; trust?: DecisionTrust; stack?: StackIdentity; floors?: Floors } = {}): Promise<TestApi> {
  const {
    PERDURE_S3_ENDPOINT: endpoint,
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: secretAccessKey,
  } = process.env;
  if (!endpoint || !accessKeyId || !secretAccessKey)
    throw new Error('The suite needs its S3 server: PERDURE_S3_ENDPOINT and the AWS keys are not set.');
  const database = await createTestDatabase();
  const db = connectDatabase(database.url);
  const store = createObjectStore({
    endpoint,
    region: 'us-east-1',
    bucket: `test-${randomUUID()}`,
    accessKeyId,
    secretAccessKey,
  });
  await store.ensureBucket();
  const temporal = createTemporalLink(loadTemporalConfig());
  const folder = await mkdtemp(path.join(tmpdir(), 'perdure-api-'));
  const uploadFolder = path.join(folder, 'uploads');
  await mkdir(uploadFolder);
  const keys = newDecisionKeys();
  const verifyingKeysFile = path.join(folder, 'public.pem');
  await writeFile(path.join(folder, 'private.pem'), keys.privatePem, { mode: 0o600 });
  await writeFile(verifyingKeysFile, keys.publicPem);
  await writeFile(
    path.join(folder, 'access.json'),
    JSON.stringify({ allowRequester: true, roles: { owner: ['ada@example.org'] } }),
  );
  const signer = await decisionSigner(path.join(folder, 'private.pem'));
  const app = await buildApi({
    db,
    objects: store,
    schedules: createModelSchedules(temporal),
    decisions: createDecisionSender({ temporal, trust, signer }),
    environments: loadPerdureConfig({}).environments,
    floors: () => Promise.resolve(floors),
    pingTemporal: temporal.ping,
    accessFile: path.join(folder, 'access.json'),
    temporalPlace: () => temporal.use(temporalTargetOf),
    openWork: () => askOpenWork(db, temporal),
    stack,
    uploadFolder,
    uploadBytesMax,
  });
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  return {
    app,
    api: createApiClient(`http://127.0.0.1:${port}`),
    db,
    url: database.url,
    ownerUrl: database.ownerUrl,
    store,
    uploadFolder,
    verifyingKeysFile,
    perdure: (...argv) => runCommandLine(argv, { PERDURE_API_PORT: String(port), PERDURE_ACTOR: 'ada@example.org' }),
    async close() {
      await app.close();
      await Promise.all([db.close(), temporal.close()]);
      store.close();
      await Promise.all([database.drop(), rm(folder, { recursive: true, force: true })]);
    },
  };
}

/** The flights definition under a name that no other test has: Schedules are shared by all tests of the suite. */
export function ownDefinition(change: Partial<ModelDefinition> = {}): ModelDefinition {
  return parseModelDefinition({ ...flightDelay, name: `flights-${randomUUID().slice(0, 8)}`, ...change });
}
