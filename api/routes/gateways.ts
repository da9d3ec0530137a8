import { listGateways } from '../../db/gateway-lists.js';
import { gatewayListSchema } from '../../client/http/gateways.js';
import type { RouteGroup } from '../route-group.js';

/** `GET /gateways`: which are live, and the epochs that they serve. */
export const gatewayRoutes: RouteGroup = (app, { db }) => {
  app.get('/gateways', { schema: { tags: ['routes'], response: { 200: gatewayListSchema } } }, async () => ({
    gateways: (await listGateways(db)).map((gateway) => ({ ...gateway, heartbeatAt: gateway.heartbeatAt.toISOString() })),
  }));
};
