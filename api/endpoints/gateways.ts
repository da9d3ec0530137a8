import { z } from 'zod';
import { environmentSchema, modelNameSchema } from '../../domain/names.js';
import { listGatewayEvents } from '../../db/serving/gateway-events.js';
import { listGateways } from '../../db/serving/gateway-lists.js';
import { servedTraffic } from '../../db/serving/serving-windows.js';
import { gatewayEventListSchema, gatewayListSchema, trafficSchema } from '../../client/http/gateways.js';
import type { EndpointGroup } from '../endpoint-group.js';

/**
 * `GET /gateways`: which are live, and the epochs that they serve. `GET /gateways/events`: versions refused or taken
 * out of service. `GET /models/{model}/traffic`: what they answered.
 */
export const gatewayEndpoints: EndpointGroup = (app, { db }) => {
  app.get('/gateways', { schema: { tags: ['routes'], response: { 200: gatewayListSchema } } }, async () => ({
    gateways: (await listGateways(db)).map((gateway) => ({
      ...gateway,
      heartbeatAt: gateway.heartbeatAt.toISOString(),
    })),
  }));
  app.get(
    '/gateways/events',
    {
      schema: {
        tags: ['routes'],
        querystring: z.object({
          environment: environmentSchema.optional(),
          model: modelNameSchema.optional(),
          limit: z.coerce.number().int().min(1).max(200).default(20),
        }),
        response: { 200: gatewayEventListSchema },
      },
    },
    async ({ query }) => ({
      events: (await listGatewayEvents(db, query)).map((event) => ({ ...event, at: event.at.toISOString() })),
    }),
  );
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
    async ({ params, query }) => ({ versions: await servedTraffic(db, params.model, query.environment) }),
  );
};
