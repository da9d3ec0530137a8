import { z } from 'zod';
import { environmentSchema, modelNameSchema } from '../../domain/names.js';
import { listGatewayEvents } from '../../db/serving/gateway-events.js';
import { listGateways } from '../../db/serving/gateway-lists.js';
import { servedTraffic } from '../../db/serving/serving-windows.js';
import {
  gatewayEventListSchema,
  gatewayListSchema,
  gatewayOnDemandRequestSchema,
  gatewayOnDemandSchema,
  trafficSchema,
} from '../../client/http/gateways.js';
import { listReply } from '../../client/http/page.js';
import { wantOnDemand } from '../serving/gateway-on-demand.js';
import { pageQuerySchema, type EndpointGroup } from '../endpoint-group.js';

/**
 * `GET /gateways`: which are live, and the epochs that they serve. `GET /gateways/events`: versions refused or taken
 * out of service. `GET /models/{model}/traffic`: what they answered.
 */
export const gatewayEndpoints: EndpointGroup = (app, deps) => {
  const { db } = deps;
  for (const [verb, wanted] of [
    ['start', true],
    ['stop', false],
  ] as const)
    app.post(
      `/gateways/${verb}`,
      {
        schema: {
          tags: ['routes'],
          description: `Asks the supervisor to ${verb} the gateway of an environment that starts on demand.`,
          body: gatewayOnDemandRequestSchema,
          response: { 200: gatewayOnDemandSchema },
        },
      },
      ({ body }) => wantOnDemand(deps, body, wanted),
    );
  app.get(
    '/gateways',
    { schema: { tags: ['routes'], querystring: pageQuerySchema, response: { 200: gatewayListSchema } } },
    async ({ query }) =>
      listReply('gateways', await listGateways(db, query), ({ heartbeatAt, ...gateway }) => ({
        ...gateway,
        heartbeatAt: heartbeatAt.toISOString(),
      })),
  );
  app.get(
    '/gateways/events',
    {
      schema: {
        tags: ['routes'],
        querystring: pageQuerySchema.extend({
          environment: environmentSchema.optional(),
          model: modelNameSchema.optional(),
        }),
        response: { 200: gatewayEventListSchema },
      },
    },
    async ({ query }) =>
      listReply('events', await listGatewayEvents(db, query), ({ at, ...event }) => ({
        ...event,
        at: at.toISOString(),
      })),
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
