import { z } from 'zod';
import { definitionInForce } from '../../db/model/definition-queries.js';
import { routedEnvironments } from '../../db/serving/current-routes.js';
import { listRouteHistory, listRoutes } from '../../db/serving/route-lists.js';
import { routeOf } from '../../db/serving/route-queries.js';
import { releaseRoute } from '../../db/serving/route-releases.js';
import { environmentSchema, modelNameSchema } from '../../domain/names.js';
import { listReply } from '../../client/http/page.js';
import {
  letGoReplySchema,
  letGoRequestSchema,
  routeListSchema,
  routesOfModelSchema,
} from '../../client/http/routes.js';
import { mayRetire, mustHaveRole } from '../must-have-role.js';
import { pageQuerySchema, type EndpointGroup } from '../endpoint-group.js';

const ofModel = z.object({ model: modelNameSchema });
const inEnvironment = z.object({ environment: environmentSchema.optional() });
const listQuery = pageQuerySchema.extend(inEnvironment.shape);
const asItIs = <Item>(item: Item): Item => item;
const atTime = inEnvironment.extend({
  at: z.iso.datetime({ offset: true }).optional().describe('the routes in force at this time instead of now'),
});

/** What environments serve, now, at an earlier time, and ever. */
export const routeEndpoints: EndpointGroup = (app, { db, accessFile }) => {
  app.get(
    '/routes',
    { schema: { tags: ['routes'], querystring: listQuery, response: { 200: routeListSchema } } },
    async ({ query }) => listReply('routes', await listRoutes(db, query), asItIs),
  );

  app.get(
    '/models/:model/routes',
    { schema: { tags: ['routes'], params: ofModel, querystring: atTime, response: { 200: routesOfModelSchema } } },
    async ({ params, query }) => {
      const at = query.at === undefined ? undefined : new Date(query.at);
      const environments = query.environment === undefined ? await routedEnvironments(db) : [query.environment];
      const found = await Promise.all(environments.map((environment) => routeOf(db, environment, params.model, at)));
      const routes = found.filter((route) => route !== undefined);
      if (routes.length === 0) await definitionInForce(db, params.model);
      return { routes };
    },
  );

  app.get(
    '/models/:model/routes/history',
    { schema: { tags: ['routes'], params: ofModel, querystring: listQuery, response: { 200: routeListSchema } } },
    async ({ params, query }) => {
      const page = await listRouteHistory(db, { ...params, ...query });
      if (page.items.length === 0) await definitionInForce(db, params.model);
      return listReply('routes', page, asItIs);
    },
  );

  app.post(
    '/models/:model/routes/let-go',
    {
      schema: {
        tags: ['routes'],
        description: 'Lets go of a model that gateways serve from before this database, which has no route for it.',
        params: ofModel,
        body: letGoRequestSchema,
        response: { 200: letGoReplySchema },
      },
    },
    async ({ params, body }) => {
      await mustHaveRole(accessFile, body.actor, mayRetire, `let go of ${params.model}`);
      const { at } = await releaseRoute(db, { ...params, ...body });
      return { ...params, ...body, at: at.toISOString() };
    },
  );
};
