import { z } from 'zod';
import { decideQuarantine, type PartitionRecord } from '../../db/data/data-queries.js';
import { definitionInForce } from '../../db/model/definition-queries.js';
import { partitionsInQuarantine, newestPartitionRecords, recordsOfPartition } from '../../db/data/quarantine-lists.js';
import { PerdureError } from '../../domain/errors.js';
import { actorSchema, modelNameSchema } from '../../domain/names.js';
import { partitionSchema, type Partition } from '../../domain/partition.js';
import { plainTextSchema } from '../../domain/plain-text.js';
import {
  quarantineDetailSchema,
  quarantineEntrySchema,
  quarantineListSchema,
  type QuarantineEntry,
} from '../../client/http/data.js';
import { judgedLake } from '../data/lake-verdicts.js';
import { objectText } from '../model/object-text.js';
import { flagSchema, type EndpointGroup } from '../endpoint-group.js';

const ofPartition = z.object({ model: modelNameSchema, partition: partitionSchema });
const listQuery = z.object({
  model: modelNameSchema.optional(),
  all: flagSchema.describe(
    'also partitions that were released or discarded, whether or not that content still lies there',
  ),
});
const decisionBody = z.strictObject({ actor: actorSchema, comment: plainTextSchema.trim().min(1).max(4000) });
const decisions = { release: 'released', discard: 'discarded' } as const;

/**
 * Partitions that validation refused, and what a person says about them: always about the content that lies in the lake
 * now.
 */
export const quarantineEndpoints: EndpointGroup = (app, deps) => {
  const { db, objects } = deps;

  app.get(
    '/quarantine',
    { schema: { tags: ['data'], querystring: listQuery, response: { 200: quarantineListSchema } } },
    async ({ query }) => {
      const decided = query.all
        ? (await newestPartitionRecords(db, query.model)).filter((record) => record.decidedBy !== null)
        : [];
      const asked = await partitionsInQuarantine(db, query.model);
      for (const { model, partition } of decided) asked.set(model, [...(asked.get(model) ?? []), partition]);
      const verdicts = await Promise.all([...asked].map(([model, months]) => verdictsOf(model, [...new Set(months)])));
      const inPlace = verdicts.flatMap((one) => [...one.values()]);
      const shown = inPlace.filter(({ state }) => state === 'quarantined').map((record) => entry(record, true));
      const isInPlace = (record: PartitionRecord) => inPlace.some((one) => isSame(one, record));
      shown.push(...decided.map((record) => entry(record, isInPlace(record))));
      return {
        partitions: shown.toSorted((left, right) =>
          `${left.model} ${left.partition}` < `${right.model} ${right.partition}` ? -1 : 1,
        ),
      };
    },
  );

  app.get(
    '/quarantine/:model/:partition',
    { schema: { tags: ['data'], params: ofPartition, response: { 200: quarantineDetailSchema } } },
    async ({ params }) => {
      const now = (await verdictsOf(params.model, [params.partition])).get(params.partition);
      const record = now ?? (await recordsOfPartition(db, params.model, params.partition))[0];
      if (!record)
        throw new PerdureError(
          'not-found',
          `Nothing of ${params.model} ${params.partition} was ever validated. \`perdure data ls ` +
            `${params.model}\` shows what landed.`,
          params,
        );
      const text = await objectText(objects, record.reportKey);
      return { ...entry(record, now !== undefined), report: text === undefined ? null : (JSON.parse(text) as unknown) };
    },
  );

  for (const [word, decision] of Object.entries(decisions)) {
    app.post(
      `/quarantine/:model/:partition/${word}`,
      { schema: { tags: ['data'], params: ofPartition, body: decisionBody, response: { 200: quarantineEntrySchema } } },
      async ({ params, body, log }) => {
        const now = (await verdictsOf(params.model, [params.partition])).get(params.partition);
        if (!now) {
          throw new PerdureError(
            'not-found',
            `No run has validated what lies in ${params.model} ${params.partition} now: there is nothing to ` +
              `decide. \`perdure data ls ${params.model}\` shows what landed, \`perdure quarantine ls\` what ` +
              'is in quarantine.',
            params,
          );
        }
        const record = await decideQuarantine(db, { ...params, inputsSha256: now.inputsSha256, decision, ...body });
        log.info({ ...params, decision, actor: body.actor }, 'quarantine decided');
        return entry(record, true);
      },
    );
  }

  /** Empty for a model that was retired: nothing of it is read any more. */
  async function verdictsOf(model: string, months: readonly Partition[]): Promise<Map<Partition, PartitionRecord>> {
    const inForce = await definitionInForce(db, model).catch((error: unknown) => {
      if (error instanceof PerdureError && error.code === 'model/unknown') return undefined;
      throw error;
    });
    return inForce
      ? (await judgedLake(deps, inForce.definition, { partitions: months })).verdicts
      : new Map<Partition, PartitionRecord>();
  }
};

const isSame = (left: PartitionRecord, right: PartitionRecord): boolean =>
  left.model === right.model && left.partition === right.partition && left.inputsSha256 === right.inputsSha256;

function entry(record: PartitionRecord, inPlace: boolean): QuarantineEntry {
  const { model, partition, inputsSha256, state, rows, positives, summary, reportKey, decidedBy, comment } = record;
  return {
    ...{ model, partition, inputsSha256, inPlace, state, rows, positives, summary, reportKey, decidedBy, comment },
    validatedAt: record.validatedAt.toISOString(),
    decidedAt: record.decidedAt?.toISOString() ?? null,
  };
}
