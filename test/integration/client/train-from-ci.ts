import { connectTemporal } from '../../../client/connect.js';
import { startTraining } from '../../../client/training.js';
import { loadTemporalConfig } from '../../../temporal.config.js';

/** What a CI job does: it has Temporal's address in its environment, and nothing else. */
const temporal = await connectTemporal(loadTemporalConfig());
const [model = '', commit = ''] = process.argv.slice(2);
process.stdout.write(
  JSON.stringify(await startTraining(temporal, { model, cause: { kind: 'code', id: commit, actor: 'ci' } })),
);
await temporal.close();
