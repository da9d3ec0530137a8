import { yesOrNoShape } from '../../../support/answers.js';
import { expect, test } from 'vitest';
import { PerdureError, type ErrorCode } from '../../../../domain/errors.js';
import { parseModelDefinition } from '../../../../domain/model/parse-definition.js';
import type { ServingWindow } from '../../../../domain/serving/serving-window.js';
import { compileContract } from '../../../../inference/compiled-contract.js';
import type { InferenceEngine } from '../../../../inference/inference-engine.js';
import flightDelay from '../../../../models/flight-delay/model.js';
import { labelReader } from '../../../../domain/serving/received-label.js';
import { countVersionError } from '../../../../serving/inference/counts-as-version-error.js';
import { ShadowTraffic } from '../../../../serving/inference/shadow-traffic.js';
import { Spool } from '../../../../serving/prediction-log/spool.js';
import { KeyDigests } from '../../../../serving/routing/key-digest.js';
import type { LoadedVersion } from '../../../../serving/routing/loaded-version.js';
import { GatewayMetrics } from '../../../../serving/telemetry/gateway-metrics.js';
import { ServingWindowCounter } from '../../../../serving/telemetry/serving-window-counter.js';
import { pollUntil } from '../../../support/poll-until.js';

const { contract, monitoring } = parseModelDefinition(flightDelay);
const rows = { count: 1, columns: [] };

/** A caller's request of version 1 and its copy for version 2, both of which end in this error. */
async function errorsOf(error: unknown, refusing = false): Promise<Record<string, number>> {
  const counter = new ServingWindowCounter({ gatewayId: 'g', bootId: 'b', environment: 'production' });
  const metrics = new GatewayMetrics('production');
  const loaded = (version: number): LoadedVersion => ({
    served: { model: 'm', version, artifactSha256: '', artifactKey: '', definitionSha256: '' },
    ...{
      key: `m@${version}`,
      contract,
      monitoring,
      compiled: compileContract(contract),
      shape: yesOrNoShape,
      readLabel: labelReader({ contract }),
    },
    ...{ contractSha256: `contract ${refusing ? version : 1}`, meters: metrics.versionMeters('m', version) },
    ...{ loadMs: 0, loadedAt: '', readyAt: 0, idleSince: undefined, holds: 0 },
  });
  const part = (version: number, role: 'split' | 'shadow') => ({
    ...{ loaded: loaded(version), epoch: 1, role, cause: undefined, samplePct: 100 },
    tally: counter.tally({ model: 'm', version, epoch: 1, role }, yesOrNoShape.task.compared),
    read: () => {
      throw error;
    },
  });
  const engine: Pick<InferenceEngine, 'infer'> = { infer: () => Promise.reject(error) };
  const shadows = new ShadowTraffic({
    environment: 'production',
    engine: engine as InferenceEngine,
    predictions: new Spool({ folder: '/nowhere' } as ConstructorParameters<typeof Spool>[0]),
    keyDigests: new KeyDigests('secret'),
    limits: { requestsMax: 10, rowsMax: 10 },
  });
  const by = part(1, 'split');
  countVersionError(by, 0, error);
  const request = { id: 'r', inputs: new Map(), outputs: undefined, binaryOutputs: false, timeoutMs: undefined };
  shadows.copy([part(2, 'shadow')], { by, predictionId: 'p', request, rows, key: undefined });
  const copies = /shadow\w*\{[^}]*outcome="(?:failed|refused)"[^}]*\} 1/;
  await pollUntil('the copy ended', 10_000, async () => copies.test(await metrics.registry.metrics()) || undefined);
  const windows: ServingWindow[] = [];
  await counter.flush((taken) => Promise.resolve(void windows.push(...taken)));
  return Object.fromEntries(windows.map(({ role, errors }) => [role, errors]));
}

test.each([
  ['serving/failed', { split: 1, shadow: 1 }],
  ['serving/timed-out', { split: 1, shadow: 1 }],
  ['serving/overloaded', { split: 1, shadow: 1 }],
  ['serving/out-of-service', { split: 1, shadow: 1 }],
  ['caller/timed-out', {}],
  ['caller/left', {}],
] as const)('%s counts for a shadow as it counts for what answers callers', async (code: ErrorCode, errors) => {
  expect(await errorsOf(new PerdureError(code, code))).toEqual(errors);
});

test('a shadow whose contract refuses what another version answered has an error', async () => {
  expect(await errorsOf(new PerdureError('input/invalid', 'no'), true)).toEqual({ split: 1, shadow: 1 });
});
