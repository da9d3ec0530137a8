import { z } from 'zod';
import { environmentSchema, modelNameSchema } from '../../domain/names.js';
import { listGateways, listTraffic } from '../../db/gateway-lists.js';
import { gatewayListSchema, trafficSchema } from '../../client/http/gateways.js';
import type { RouteGroup } from '../route-group.js';

/** `GET /gateways`: which are live, and the epochs that they serve. `GET /models/{model}/traffic`: what they answered. */
export const gatewayRoutes: RouteGroup = (app, { db }) => {
  app.get('/gateways', { schema: { tags: ['routes'], response: { 200: gatewayListSchema } } }, async () => ({
    gateways: (await listGateways(db)).map((gateway) => ({ ...gateway, heartbeatAt: gateway.heartbeatAt.toISOString() })),
  }));
  app.get(
    '/models/:model/traffic',
    {
      schema: {
        tags: ['routes'],
        params: z.object({ model: modelNameSchema }),
        querystring: z.object({ environment: environmentSchema.default('production') }),
        response: { 200: trafficSchema },
      },
    },
    async ({ params, query }) => ({ versions: await listTraffic(db, params.model, query.environment) }),
  );
};
