import { cadenceIn } from '../../domain/cadence.js';
import type { SampleOrder } from '../../domain/data/snapshot/row-sample.js';
import { defaultEnvironment, knownEnvironment } from '../../domain/promotion/environments.js';
import { PerdureError } from '../../domain/errors.js';
import { wrongCadence, type Partition } from '../../domain/partition.js';
import { runPriority } from '../../domain/training/run-priority.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import { changedDefinition } from '../../domain/model/changed-definition.js';
import { importThreshold } from '../../domain/imported-model.js';
import { importRequestSchema, trainRequestSchema } from '../../domain/workflow-inputs.js';
import { definitionInForce, keepDefinition } from '../../db/model/definition-queries.js';
import type { ActivityDependencies } from '../dependencies.js';
import { parseInput } from '../parse-input.js';

/** What `trainModel` was started with, and the definition that it trains. */
export function createTrainInputActivities({ db, config }: Pick<ActivityDependencies, 'db' | 'config'>) {
  return {
    async parseTrainRequest(input: unknown) {
      const {
        model,
        until,
        cause,
        set,
        force,
        environment: asked,
      } = parseInput(trainRequestSchema, input, 'trainModel', {
        model: 'flight-delay',
      });
      const inForce = await definitionInForce(db, model);
      const { name: environment, data } = knownEnvironment(
        config.environments,
        asked ?? defaultEnvironment(config.environments),
      );
      const sample: SampleOrder | null =
        data.kind === 'sample' ? { environment, rows: data.rows, seed: data.seed } : null;
      refuseOtherCadence(until, inForce.definition);
      const changed = Object.keys(set).length > 0;
      const definitionSha256 = changed
        ? await keepDefinition(db, changedDefinition(inForce.definition, set))
        : inForce.sha256;
      return {
        model,
        until: until ?? null,
        cause,
        force,
        definitionSha256,
        // By the applied definition: a run does not put itself before others.
        priority: runPriority(cause.kind, inForce.definition.training.priority, config.training.highestPriority),
        ignoreWatermark: changed || sample !== null,
        environment,
        sample,
      };
    },

    async parseImportRequest(input: unknown) {
      const { model, until, threshold, ...brought } = parseInput(importRequestSchema, input, 'importVersion', {
        model: 'flight-delay',
        sha256: 'SHA-256 of the file',
      });
      const { sha256: definitionSha256, definition } = await definitionInForce(db, model);
      refuseOtherCadence(until, definition);
      const { threshold: policy } = definition.evaluation;
      return {
        ...{ ...brought, model, definitionSha256, until: until ?? null },
        threshold: importThreshold(policy, threshold),
      };
    },
  };
}

function refuseOtherCadence(until: Partition | undefined, { data }: ModelDefinition): void {
  const wrong = until && wrongCadence(until, cadenceIn(data));
  if (wrong) throw new PerdureError('input/invalid', `until: ${wrong}.`, { until });
}
