import { z } from 'zod';
import { decideQuarantine, type PartitionRecord } from '../../db/data/partition-queries.js';
import { definitionInForce } from '../../db/model/definition-queries.js';
import { listQuarantined, recordsOfPartition, type QuarantineFilter } from '../../db/data/quarantine-lists.js';
import { PerdureError } from '../../domain/errors.js';
import { groupBy } from '../../domain/group-by.js';
import { actorSchema, modelNameSchema } from '../../domain/names.js';
import { partitionSchema, type Partition } from '../../domain/partition.js';
import { plainTextSchema } from '../../domain/text/plain-text.js';
import {
  quarantineDetailSchema,
  quarantineEntrySchema,
  quarantineListSchema,
  type QuarantineEntry,
} from '../../client/http/data.js';
import { mustBeOfCadence } from '../data/lake-place.js';
import { judgedLake } from '../data/lake-verdicts.js';
import { listReply, type ListPage } from '../../client/http/page.js';
import { objectText } from '../model/object-text.js';
import { flagSchema, pageQuerySchema, type EndpointGroup } from '../endpoint-group.js';

const ofPartition = z.object({ model: modelNameSchema, partition: partitionSchema });
const listQuery = pageQuerySchema.extend({
  model: modelNameSchema.optional(),
  all: flagSchema.describe('also released or discarded partitions, even if that content was replaced since'),
});
const decisionBody = z.strictObject({ actor: actorSchema, comment: plainTextSchema.trim().min(1).max(4000) });
const decisions = { release: 'released', discard: 'discarded' } as const;

const notValidatedYet = (params: z.infer<typeof ofPartition>): PerdureError =>
  new PerdureError(
    'not-found',
    `The current content of ${params.model} ${params.partition} is not validated yet: there is nothing to decide. ` +
      `\`perdure data ls ${params.model}\` lists the data, \`perdure quarantine ls\` what is in quarantine.`,
    params,
  );

/**
 * Partitions that validation refused, and what a person says about them: always about the content that lies in the lake
 * now.
 */
export const quarantineEndpoints: EndpointGroup = (app, deps) => {
  const { db, objects } = deps;

  app.get(
    '/quarantine',
    { schema: { tags: ['data'], querystring: listQuery, response: { 200: quarantineListSchema } } },
    async ({ query: { all, ...query } }) =>
      listReply('partitions', await shownPage({ ...query, decided: all }), asItIs),
  );

  app.get(
    '/quarantine/:model/:partition',
    { schema: { tags: ['data'], params: ofPartition, response: { 200: quarantineDetailSchema } } },
    async ({ params }) => {
      const now = (await verdictsOf(params.model, [params.partition])).get(params.partition);
      const record = now ?? (await recordsOfPartition(db, params.model, params.partition))[0];
      if (!record) {
        await mustBeOfModel(params);
        throw new PerdureError(
          'not-found',
          `Nothing of ${params.model} ${params.partition} was ever validated. \`perdure data ls ` +
            `${params.model}\` lists the data.`,
          params,
        );
      }
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
          await mustBeOfModel(params);
          throw notValidatedYet(params);
        }
        const record = await decideQuarantine(db, { ...params, inputsSha256: now.inputsSha256, decision, ...body });
        log.info({ ...params, decision, actor: body.actor }, 'quarantine decided');
        return entry(record, true);
      },
    );
  }

  /**
   * A page of what is set aside and lies in the lake still, and of what was decided wherever it lies. What was replaced
   * since is passed over.
   */
  async function shownPage(filter: QuarantineFilter): Promise<ListPage<QuarantineEntry>> {
    const items: QuarantineEntry[] = [];
    for (let { after } = filter; ;) {
      const page = await listQuarantined(db, { ...filter, limit: filter.limit - items.length, after });
      const groups = [...groupBy(page.items, ({ model }) => model)];
      const verdicts = new Map(
        await Promise.all(
          groups.map(async ([model, own]) => {
            const partitions = [...new Set(own.map(({ partition }) => partition))];
            return [model, await verdictsOf(model, partitions)] as const;
          }),
        ),
      );
      for (const record of page.items) {
        const inPlace = verdicts.get(record.model)?.get(record.partition)?.inputsSha256 === record.inputsSha256;
        if (inPlace || record.decidedBy !== null) items.push(entry(record, inPlace));
      }
      if (page.next === null || items.length === filter.limit) return { items, next: page.next };
      after = page.next;
    }
  }

  /** A partition in another form than the model's is told so, with the right one. */
  async function mustBeOfModel({ model, partition }: z.infer<typeof ofPartition>): Promise<void> {
    mustBeOfCadence((await definitionInForce(db, model)).definition.data, partition);
  }

  /** Empty for a model that was retired: nothing of it is read any more. */
  async function verdictsOf(model: string, partitions: readonly Partition[]): Promise<Map<Partition, PartitionRecord>> {
    const inForce = await definitionInForce(db, model).catch((error: unknown) => {
      if (error instanceof PerdureError && error.code === 'model/unknown') return undefined;
      throw error;
    });
    return inForce
      ? (await judgedLake(deps, inForce.definition, { partitions })).verdicts
      : new Map<Partition, PartitionRecord>();
  }
};

const asItIs = <Item>(item: Item): Item => item;

function entry(record: PartitionRecord, inPlace: boolean): QuarantineEntry {
  const { model, partition, inputsSha256, state, rows, positives, summary, reportKey, decidedBy, comment } = record;
  return {
    ...{ model, partition, inputsSha256, inPlace, state, rows, positives, summary, reportKey, decidedBy, comment },
    validatedAt: record.validatedAt.toISOString(),
    decidedAt: record.decidedAt?.toISOString() ?? null,
  };
}
