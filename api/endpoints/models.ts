import { z } from 'zod';
import { definitionByDigest, definitionInForce } from '../../db/model/definition-queries.js';
import { listModels, modelRow } from '../../db/model/model-lists.js';
import { routedEnvironments } from '../../db/serving/current-routes.js';
import { routesOfModels } from '../../db/serving/route-lists.js';
import { PerdureError } from '../../domain/errors.js';
import { groupBy } from '../../domain/group-by.js';
import { modelNameSchema, sha256Schema } from '../../domain/names.js';
import { modelDetailSchema, modelListSchema, retireRequestSchema } from '../../client/http/models.js';
import { listReply } from '../../client/http/page.js';
import { routesOfModelSchema } from '../../client/http/routes.js';
import { retireModel } from '../serving/retire-model.js';
import { pageQuerySchema, type EndpointGroup } from '../endpoint-group.js';

const ofModel = z.object({ model: modelNameSchema });
const definitionSchema = z.record(z.string(), z.json());

/** `GET /models[/{model}]`: what is known, by name; `/definitions/{sha256}`: any definition that was ever applied. */
export const modelEndpoints: EndpointGroup = (app, deps) => {
  const { db } = deps;
  const routesByModel = async (models: readonly string[]) =>
    groupBy(await routesOfModels(db, models), (route) => route.model);

  app.post(
    '/models/:model/retire',
    {
      schema: { tags: ['models'], params: ofModel, body: retireRequestSchema, response: { 200: routesOfModelSchema } },
    },
    async ({ params: { model }, body: { environment, actor, reason } }) => ({
      routes: await retireModel(deps, {
        model,
        environments: environment === undefined ? await routedEnvironments(db) : [environment],
        actor,
        reason,
      }),
    }),
  );

  app.get(
    '/models',
    { schema: { tags: ['models'], querystring: pageQuerySchema, response: { 200: modelListSchema } } },
    async ({ query }) => {
      const page = await listModels(db, query);
      const routes = await routesByModel(page.items.map(({ name }) => name));
      return listReply('models', page, (row) => ({ ...row, routes: routes.get(row.name) ?? [] }));
    },
  );

  app.get(
    '/models/:model',
    { schema: { tags: ['models'], params: ofModel, response: { 200: modelDetailSchema } } },
    async ({ params }) => {
      const row = await modelRow(db, params.model);
      if (row) {
        const routes = (await routesByModel([row.name])).get(row.name) ?? [];
        return { ...row, routes, definition: definitionSchema.parse(row.definition) };
      }
      await definitionInForce(db, params.model);
      throw new PerdureError('model/unknown', `No model is called ${params.model}.`, params);
    },
  );

  app.get(
    '/definitions/:sha256',
    { schema: { tags: ['models'], params: z.object({ sha256: sha256Schema }), response: { 200: definitionSchema } } },
    async ({ params }) => definitionSchema.parse(await definitionByDigest(db, params.sha256)),
  );
};
