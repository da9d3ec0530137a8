import type { IncomingMessage } from 'node:http';
import { z } from 'zod';
import { definitionInForce } from '../../db/model/definition-queries.js';
import { actorSchema, columnNameSchema, modelNameSchema } from '../../domain/names.js';
import { sharedOwner } from '../../domain/data/lake/lake-owner.js';
import { plainTextSchema } from '../../domain/text/plain-text.js';
import { partitionSchema } from '../../domain/partition.js';
import {
  lakeListingSchema,
  landedResultSchema,
  putDataResultSchema,
  putFilesResultSchema,
  removeDataResultSchema,
  switchRequestSchema,
} from '../../client/http/data.js';
import { lakeListing } from '../data/lake-listing.js';
import { lakeOf } from '../data/lake-of.js';
import { lakePlace } from '../data/lake-place.js';
import { placeForPut } from '../data/place-for-put.js';
import { generationOf, landFile, removeLakeFiles, switchManifest } from '../data/put-lake-files.js';
import { sharedListing } from '../data/shared-listing.js';
import { receiveParquet } from '../data/receive-parquet.js';
import { flagSchema, type EndpointGroup } from '../endpoint-group.js';

const ofModel = z.object({ model: modelNameSchema });
const ofTable = ofModel.extend({ table: columnNameSchema });
const putQuery = z.object({
  partition: partitionSchema.optional(),
  name: z.string().max(300).optional().describe('the original file name, for the log'),
  append: flagSchema.describe('keep earlier files of the same place instead of replacing them'),
  force: flagSchema.describe('land it although the partition is in the future, before the window or after a gap'),
  actor: actorSchema.default('unknown'),
});
const removeQuery = z.object({
  partition: partitionSchema.optional(),
  actor: actorSchema,
  reason: plainTextSchema.trim().min(1).max(4000),
});

const listQuery = z.object({
  limit: z.coerce.number().int().min(1).max(240).default(24).describe('partitions at most, the newest first'),
  before: partitionSchema.optional().describe('the `next` of the previous page'),
});

/** How long a refused upload is still read. */
const drainMs = 3_000;

/**
 * `/models/{model}/data`: what has landed in the lake, landing it and taking it away. `shared` in the place of a model
 * stands for the tables that models share.
 */
export const dataEndpoints: EndpointGroup = (app, deps) => {
  app.addContentTypeParser(
    '*',
    (_request: unknown, _payload: IncomingMessage, done: (error: null, body: null) => void) => done(null, null),
  );

  app.addHook('onResponse', async ({ raw }) => endUpload(raw));

  app.get(
    '/models/:model/data',
    { schema: { tags: ['data'], params: ofModel, querystring: listQuery, response: { 200: lakeListingSchema } } },
    async ({ params, query }) =>
      params.model === sharedOwner
        ? sharedListing(deps, query)
        : lakeListing(deps, await definitionInForce(deps.db, params.model), query),
  );
  registerPut(app, deps);
  registerLanding(app, deps);
  registerSwitch(app, deps);
  registerRemoval(app, deps);
};

type Register = (...args: Parameters<EndpointGroup>) => void;

/** One file, which becomes the partition at once. */
const registerPut: Register = (app, deps) => {
  const limits = { folder: deps.uploadFolder, bytesMax: deps.uploadBytesMax };
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
      const place = await placeForPut(deps, params, query);
      const seen = await generationOf(deps, place);
      const result = await receiveParquet(raw, limits, async (received) => {
        const landed = await landFile(deps, place, received);
        const { append, actor } = query;
        return { ...landed, ...(await switchManifest(deps, place, [landed], { append, actor, reason: null, seen })) };
      });
      log.info(
        { key: result.key, bytes: result.bytes, name: query.name, generation: result.generation },
        'data landed',
      );
      return result;
    },
  );
};

/** A file that waits for a manifest. */
const registerLanding: Register = (app, deps) => {
  const limits = { folder: deps.uploadFolder, bytesMax: deps.uploadBytesMax };
  app.put(
    '/models/:model/data/:table/files',
    {
      schema: {
        tags: ['data'],
        description:
          'The body is one Parquet file. It lands beside its partition and does not count until a ' +
          'manifest names it.',
        consumes: ['application/vnd.apache.parquet'],
        params: ofTable,
        querystring: putQuery.omit({ append: true, actor: true }),
        response: { 200: landedResultSchema },
      },
    },
    async ({ params, query, raw }) => {
      const place = await placeForPut(deps, params, query);
      const generation = await generationOf(deps, place);
      return { ...(await receiveParquet(raw, limits, (received) => landFile(deps, place, received))), generation };
    },
  );
};

/** Landed files become the partition. */
const registerSwitch: Register = (app, deps) => {
  app.post(
    '/models/:model/data/:table/manifest',
    {
      schema: {
        tags: ['data'],
        description:
          'Files that have landed become the partition, all in one moment, in place of what counted before ' +
          'or beside it (append).',
        params: ofTable,
        body: switchRequestSchema,
        response: { 200: putFilesResultSchema },
      },
    },
    async ({ params, body, log }) => {
      const place = await placeForPut(deps, params, body);
      const { append, actor, generation: seen } = body;
      const landed = body.files.map((file) => ({ ...file, key: `${place.prefix}${file.sha256}.parquet` }));
      const result = await switchManifest(deps, place, landed, { append, actor, reason: null, seen });
      log.info(
        { ...params, partition: body.partition, files: landed.length, generation: result.generation },
        'data landed',
      );
      return result;
    },
  );
};

/** A partition, or a whole table, is taken away. */
const registerRemoval: Register = (app, deps) => {
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
      const { lake } = await lakeOf(deps, params);
      const place = { ...lakePlace(lake, params.table, query.partition), lake };
      const result = await removeLakeFiles(deps, place, query);
      log.info({ ...params, ...query, removed: result.removed.length }, 'data removed');
      return result;
    },
  );
};

/**
 * Reads a refused upload on, so that its sender comes to read the refusal and may use the connection again; after a
 * moment it ends.
 */
export function endUpload(raw: IncomingMessage): void {
  if (raw.readableEnded || raw.destroyed) return;
  const timer = setTimeout(() => raw.destroy(), drainMs);
  timer.unref();
  raw.once('close', () => clearTimeout(timer));
  raw.once('end', () => clearTimeout(timer));
  raw.resume();
}
