import { connectTemporal } from '../../client/connect.js';
import { startTraining, trainingResult } from '../../client/training.js';
import { errorTraits, PerdureError } from '../../domain/errors.js';
import { loadTemporalConfig } from '../../temporal.config.js';

/**
 * Trains a model from a continuous-integration job and waits for the result. Needs nothing but Temporal:
 * TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TLS and API key come from the SDK's environment configuration. The commit is
 * the cause, so a repeated job finds the run of the first one.
 *
 *     node --import tsx examples/ci/train.mts flight-delay
 */
async function main(model: string | undefined): Promise<number> {
  if (model === undefined) {
    process.stderr.write('usage: node --import tsx examples/ci/train.mts MODEL\n');
    return 2;
  }
  const commit = process.env['GITHUB_SHA'];
  const actor = process.env['GITHUB_ACTOR'] ?? 'system:code';
  const temporal = await connectTemporal(loadTemporalConfig());
  try {
    const started = await startTraining(temporal, {
      model,
      cause: { kind: 'code', actor, ...(commit ? { id: commit } : {}) },
    });
    process.stdout.write(`${started.attached ? 'found' : 'started'} ${started.workflowId}\n`);
    const result = await trainingResult(temporal, started.workflowId, started.runId);
    process.stdout.write(`${JSON.stringify(result)}\n`);
    if (result.outcome === 'registered' || result.outcome === 'no-new-data') return 0;
    return result.outcome === 'gate-not-passed' ? 3 : 1;
  } finally {
    await temporal.close();
  }
}

try {
  process.exitCode = await main(process.argv[2]);
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof PerdureError ? errorTraits(error.code).exitCode : 1;
}
