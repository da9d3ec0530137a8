import { createHash } from 'node:crypto';
import { z } from 'zod';
import { definitionInForce } from '../../db/model/definition-queries.js';
import { archivedVersions } from '../../db/model/version-archive.js';
import { routesOfModels } from '../../db/serving/route-lists.js';
import { listVersions, versionWithOrigin, type VersionListRow } from '../../db/model/version-lists.js';
import { PerdureError } from '../../domain/errors.js';
import { environmentSchema, modelNameSchema } from '../../domain/names.js';
import { objectKeys } from '../../domain/object-keys.js';
import { promotionPlanSchema } from '../../client/http/promotion-plan.js';
import { listReply } from '../../client/http/page.js';
import {
  archiveRequestSchema,
  versionDetailSchema,
  versionListSchema,
  versionSummarySchema,
} from '../../client/http/versions.js';
import { trainedOn } from '../data/trained-on.js';
import { archiveVersion } from '../model/archive-version.js';
import { objectText } from '../model/object-text.js';
import { readEvaluation } from '../model/read-evaluation.js';
import { promotionPlan } from '../promotion/promotion-plan.js';
import { flagSchema, pageQuerySchema, type EndpointGroup } from '../endpoint-group.js';
import { versionView } from '../model/version-view.js';

const ofModel = z.object({ model: modelNameSchema });
const listQuery = pageQuerySchema.extend({ unarchived: flagSchema.describe('without those that are put away') });
const ofVersion = ofModel.extend({ version: z.coerce.number().int().min(1) });
const planQuery = z.object({
  environment: environmentSchema.optional(),
  alsoShadow: z
    .string()
    .regex(/^[1-9]\d{0,8}(,[1-9]\d{0,8}){0,9}$/, 'must be numbers of versions with commas between')
    .optional(),
});
const cardQuery = z.object({ format: z.enum(['md', 'json']).default('md') });

/**
 * The registry: `GET /models/{model}/versions[/{version}[/card]]`, and what promoting a version would take: `/plan`.
 */
export const versionEndpoints: EndpointGroup = (app, deps) => {
  const { db, objects } = deps;
  const viewOf = async (row: VersionListRow) => {
    const [routes, archived] = await Promise.all([
      routesOfModels(db, [row.model]),
      archivedVersions(db, row.model, [row.version]),
    ]);
    return versionView(row, routes, archived);
  };

  app.get(
    '/models/:model/versions',
    { schema: { tags: ['versions'], params: ofModel, querystring: listQuery, response: { 200: versionListSchema } } },
    async ({ params: { model }, query }) => {
      const [page, routes] = await Promise.all([listVersions(db, model, query), routesOfModels(db, [model])]);
      if (page.items.length === 0) await definitionInForce(db, model);
      const archived = await archivedVersions(
        db,
        model,
        page.items.map(({ version }) => version),
      );
      return listReply('versions', page, (row) => versionView(row, routes, archived));
    },
  );

  app.get(
    '/models/:model/versions/:version',
    { schema: { tags: ['versions'], params: ofVersion, response: { 200: versionDetailSchema } } },
    async ({ params, log }) => {
      const row = await versionWithOrigin(db, params.model, params.version);
      const [evaluation, partitions] = await Promise.all([
        readEvaluation(objects, row.evaluationKey, log),
        trainedOn(deps, row, log),
      ]);
      const { definitionSha256, snapshotSha256, artifactKey, evaluationKey, threshold, signature, gates, lineage } =
        row;
      const card = `/api/v1/models/${row.model}/versions/${row.version}/card`;
      return {
        ...(await viewOf(row)),
        ...{ definitionSha256, snapshotSha256, artifactKey, evaluationKey, threshold, signature, lineage },
        ...{ evaluation, partitions },
        gates: gates.map((gate) => ({ ...gate })),
        card: { markdown: `${card}?format=md`, json: `${card}?format=json` },
      };
    },
  );

  app.get(
    '/models/:model/versions/:version/plan',
    {
      schema: { tags: ['versions'], params: ofVersion, querystring: planQuery, response: { 200: promotionPlanSchema } },
    },
    async ({ params, query }) => {
      await versionWithOrigin(db, params.model, params.version);
      return promotionPlan(deps, {
        ...params,
        environment: query.environment,
        alsoShadow: query.alsoShadow?.split(',').map(Number),
      });
    },
  );

  app.post(
    '/models/:model/versions/:version/archive',
    {
      schema: {
        tags: ['versions'],
        description: 'Puts a version away, out of lists and promotions, or brings it back. Nothing of it is lost.',
        params: ofVersion,
        body: archiveRequestSchema,
        response: { 200: versionSummarySchema },
      },
    },
    async ({ params, body }) => {
      const row = await versionWithOrigin(db, params.model, params.version);
      await archiveVersion(db, params, body);
      return viewOf(row);
    },
  );
  registerFiles(app, deps);
};

/** What a version is made of and described by, as files. */
function registerFiles(...[app, { db, objects }]: Parameters<EndpointGroup>): void {
  app.get(
    '/models/:model/versions/:version/artifact',
    {
      schema: {
        tags: ['versions'],
        description: 'The ONNX model, byte for byte as it was evaluated and is served.',
        params: ofVersion,
      },
    },
    async ({ params }, reply) => {
      const { artifactKey, artifactSha256 } = await versionWithOrigin(db, params.model, params.version);
      const bytes = Buffer.from(await objects.get(artifactKey));
      const found = createHash('sha256').update(bytes).digest('hex');
      if (found !== artifactSha256)
        throw new PerdureError(
          'artifact/digest-mismatch',
          `The object ${artifactKey} is not what ${params.model}@${params.version} is registered with ` +
            `(${artifactSha256}): restore the registered bytes.`,
        );
      return reply.type('application/octet-stream').header('etag', `"${artifactSha256}"`).send(bytes);
    },
  );

  app.get(
    '/models/:model/versions/:version/card',
    { schema: { tags: ['versions'], params: ofVersion, querystring: cardQuery } },
    async ({ params, query }, reply) => {
      await versionWithOrigin(db, params.model, params.version);
      const key = objectKeys.modelCard(params.model, params.version, query.format);
      const text = await objectText(objects, key);
      if (text === undefined) {
        throw new PerdureError(
          'not-found',
          `${params.model}@${params.version} has no model card at ${key} yet: it is written right after the ` +
            'version is registered. Ask again.',
          { key },
        );
      }
      // Sent as bytes: the reply has no schema to be serialized by.
      return reply
        .type(query.format === 'md' ? 'text/markdown; charset=utf-8' : 'application/json; charset=utf-8')
        .send(Buffer.from(text));
    },
  );
}
