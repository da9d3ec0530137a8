import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { definitionInForce } from '../../db/definition-queries.js';
import { columnNameSchema, modelNameSchema } from '../../domain/names.js';
import { partitionSchema } from '../../domain/partition.js';
import { lakeListingSchema, putDataResultSchema } from '../../client/http/data.js';
import { lakeListing } from '../lake-listing.js';
import { receiveParquet } from '../receive-parquet.js';
import { flagSchema, type RouteGroup } from '../route-group.js';
import { lakePrefix, storeLakeFile } from '../store-lake-file.js';

const ofModel = z.object({ model: modelNameSchema });
const ofTable = ofModel.extend({ table: columnNameSchema });
const putQuery = z.object({
  partition: partitionSchema.optional(),
  name: z.string().max(300).optional().describe('what the file was called, for the log'),
  append: flagSchema.describe('keep earlier files of the same place instead of replacing them'),
});

/** How long a refused upload is still read. */
const drainMs = 3_000;

/** `GET /models/{model}/data` and `PUT /models/{model}/data/{table}`: what has landed in the lake, and landing it. */
export const dataRoutes: RouteGroup = (app, deps) => {
  app.addContentTypeParser('*', (_request: unknown, _payload: IncomingMessage, done: (error: null, body: null) => void) =>
    done(null, null),
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
    'The body is one Parquet file. It takes the place of earlier files of the same partition (of the whole table, where that has no partitions) unless append=true.';
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
      const prefix = lakePrefix(definition, params.table, query.partition);
      const limits = { folder: deps.uploadFolder, bytesMax: deps.uploadBytesMax };
      const result = await receiveParquet(raw, limits, (received) => storeLakeFile(deps, prefix, received, query.append));
      log.info({ key: result.key, bytes: result.bytes, name: query.name }, 'data landed');
      return result;
    },
  );
};

/** Node reads a refused upload on, so that its sender comes to read the refusal; after a moment the connection ends. */
function endUpload(raw: IncomingMessage): void {
  if (raw.readableEnded || raw.destroyed) return;
  const timer = setTimeout(() => raw.destroy(), drainMs);
  timer.unref();
  raw.once('close', () => clearTimeout(timer));
}
