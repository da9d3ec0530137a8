import { z } from 'zod';
import { decideQuarantine, type PartitionRecord } from '../../db/data-queries.js';
import { newestPartitionRecords, recordsOfPartition } from '../../db/quarantine-lists.js';
import { PerdureError } from '../../domain/errors.js';
import { actorSchema, modelNameSchema } from '../../domain/names.js';
import { partitionSchema } from '../../domain/partition.js';
import { plainTextSchema } from '../../domain/plain-text.js';
import { quarantineDetailSchema, quarantineEntrySchema, quarantineListSchema, type QuarantineEntry } from '../../client/http/data.js';
import { objectText } from '../object-text.js';
import { flagSchema, type RouteGroup } from '../route-group.js';

const ofPartition = z.object({ model: modelNameSchema, partition: partitionSchema });
const listQuery = z.object({
  model: modelNameSchema.optional(),
  all: flagSchema.describe('also partitions that were released or discarded'),
});
const decisionBody = z.strictObject({ actor: actorSchema, comment: plainTextSchema.trim().min(1).max(4000) });
const decisions = { release: 'released', discard: 'discarded' } as const;

/** Partitions that validation refused, and what a person says about them. */
export const quarantineRoutes: RouteGroup = (app, { db, objects }) => {
  app.get(
    '/quarantine',
    { schema: { tags: ['data'], querystring: listQuery, response: { 200: quarantineListSchema } } },
    async ({ query }) => {
      const records = await newestPartitionRecords(db, query.model);
      const shown = records.filter((record) => record.state === 'quarantined' || (query.all && record.decidedBy !== null));
      return { partitions: shown.map(entry) };
    },
  );

  app.get(
    '/quarantine/:model/:partition',
    { schema: { tags: ['data'], params: ofPartition, response: { 200: quarantineDetailSchema } } },
    async ({ params }) => {
      const records = await recordsOfPartition(db, params.model, params.partition);
      const record = records.find((one) => one.state === 'quarantined') ?? records[0];
      if (!record)
        throw new PerdureError(
          'not-found',
          `Nothing of ${params.model} ${params.partition} was ever validated. \`perdure data ls ${params.model}\` shows what landed.`,
          params,
        );
      const text = await objectText(objects, record.reportKey);
      return { ...entry(record), report: text === undefined ? null : (JSON.parse(text) as unknown) };
    },
  );

  for (const [word, decision] of Object.entries(decisions)) {
    app.post(
      `/quarantine/:model/:partition/${word}`,
      { schema: { tags: ['data'], params: ofPartition, body: decisionBody, response: { 200: quarantineEntrySchema } } },
      async ({ params, body, log }) => {
        const record = await decideQuarantine(db, { ...params, decision, actor: body.actor, comment: body.comment });
        log.info({ ...params, decision, actor: body.actor }, 'quarantine decided');
        return entry(record);
      },
    );
  }
};

function entry(record: PartitionRecord): QuarantineEntry {
  const { model, partition, inputsSha256, state, rows, positives, summary, reportKey, decidedBy, comment } = record;
  return {
    ...{ model, partition, inputsSha256, state, rows, positives, summary, reportKey, decidedBy, comment },
    validatedAt: record.validatedAt.toISOString(),
    decidedAt: record.decidedAt?.toISOString() ?? null,
  };
}
