import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { definitionInForce } from '../../db/model/definition-queries.js';
import { doubtAboutPartition } from '../../domain/data/doubtful-partition.js';
import { PerdureError } from '../../domain/errors.js';
import { actorSchema, columnNameSchema, modelNameSchema } from '../../domain/names.js';
import { plainTextSchema } from '../../domain/plain-text.js';
import { partitionSchema } from '../../domain/partition.js';
import { lakeListingSchema, putDataResultSchema, removeDataResultSchema } from '../../client/http/data.js';
import { lakeListing } from '../data/lake-listing.js';
import { receiveParquet } from '../data/receive-parquet.js';
import { flagSchema, type EndpointGroup } from '../endpoint-group.js';
import { lakeContent } from '../data/lake-content.js';
import { lakePlace, removeLakeFiles, storeLakeFile } from '../data/store-lake-file.js';

const ofModel = z.object({ model: modelNameSchema });
const ofTable = ofModel.extend({ table: columnNameSchema });
const putQuery = z.object({
  partition: partitionSchema.optional(),
  name: z.string().max(300).optional().describe('what the file was called, for the log'),
  append: flagSchema.describe('keep earlier files of the same place instead of replacing them'),
  force: flagSchema.describe('land it although the partition is in the future, before the window or after a gap'),
  actor: actorSchema.default('unknown'),
});
const removeQuery = z.object({
  partition: partitionSchema.optional(),
  actor: actorSchema,
  reason: plainTextSchema.trim().min(1).max(4000),
});

/** How long a refused upload is still read. */
const drainMs = 3_000;

/** `/models/{model}/data`: what has landed in the lake, landing it and taking it away. */
export const dataEndpoints: EndpointGroup = (app, deps) => {
  app.addContentTypeParser(
    '*',
    (_request: unknown, _payload: IncomingMessage, done: (error: null, body: null) => void) => done(null, null),
  );

  app.addHook('onResponse', async ({ raw }) => endUpload(raw));

  app.get(
    '/models/:model/data',
    { schema: { tags: ['data'], params: ofModel, response: { 200: lakeListingSchema } } },
    async ({ params }) => {
      const { definition } = await definitionInForce(deps.db, params.model);
      return lakeListing(deps, definition);
    },
  );

  const description =
    'The body is one Parquet file. It takes the place of earlier files of the same partition (of the whole ' +
    'table, where that has no partitions) unless append=true.';
  app.put(
    '/models/:model/data/:table',
    {
      schema: {
        tags: ['data'],
        description,
        consumes: ['application/vnd.apache.parquet'],
        params: ofTable,
        querystring: putQuery,
        response: { 200: putDataResultSchema },
      },
    },
    async ({ params, query, raw, log }) => {
      const { definition } = await definitionInForce(deps.db, params.model);
      const place = lakePlace(definition, params.table, query.partition);
      if (query.partition !== undefined && !query.force) {
        const { files } = await lakeContent(deps, definition);
        const present = files.flatMap((file) => (file.table === params.table ? (file.partition ?? []) : []));
        const asked = { table: params.table, partition: query.partition, present, now: new Date() };
        const doubt = doubtAboutPartition(definition.data, asked);
        if (doubt !== undefined) {
          throw new PerdureError(
            'input/invalid',
            `partition: ${doubt}. Nothing was stored. Correct the month, or land it all the same with ` +
              '--force (force=true).',
            {
              partition: query.partition,
            },
          );
        }
      }
      const limits = { folder: deps.uploadFolder, bytesMax: deps.uploadBytesMax };
      const result = await receiveParquet(raw, limits, (received) =>
        storeLakeFile(deps, place, received, { append: query.append, actor: query.actor, reason: null }),
      );
      log.info({ key: result.key, bytes: result.bytes, name: query.name }, 'data landed');
      return result;
    },
  );

  app.delete(
    '/models/:model/data/:table',
    {
      schema: {
        tags: ['data'],
        description:
          'Takes a partition of a table away, or a whole table that has none. Snapshots that were made of it ' +
          'have their own copies.',
        params: ofTable,
        querystring: removeQuery,
        response: { 200: removeDataResultSchema },
      },
    },
    async ({ params, query, log }) => {
      const { definition } = await definitionInForce(deps.db, params.model);
      const result = await removeLakeFiles(deps, lakePlace(definition, params.table, query.partition), query);
      log.info({ ...params, ...query, removed: result.removed.length }, 'data removed');
      return result;
    },
  );
};

/**
 * Reads a refused upload on, so that its sender comes to read the refusal and may use the connection again; after a
 * moment it ends.
 */
function endUpload(raw: IncomingMessage): void {
  if (raw.readableEnded || raw.destroyed) return;
  const timer = setTimeout(() => raw.destroy(), drainMs);
  timer.unref();
  raw.once('close', () => clearTimeout(timer));
  raw.once('end', () => clearTimeout(timer));
  raw.resume();
}
