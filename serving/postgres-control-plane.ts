import type { Database } from '../db/connect.js';
import { definitionByDigest } from '../db/definition-queries.js';
import { acknowledgeRoute, forgetGateway, insertServingWindows, recordGateway } from '../db/gateway-queries.js';
import { routeChannel, routeState } from '../db/route-queries.js';
import type { ControlPlane } from './control-plane.js';

/** The control plane as PostgreSQL holds it. */
export function postgresControlPlane(db: Database): ControlPlane {
  return {
    routeState: (environment) => routeState(db, environment),
    definitionByDigest: (sha256) => definitionByDigest(db, sha256),
    recordGateway: (heartbeat) => recordGateway(db, heartbeat),
    acknowledgeRoute: (acknowledgement) => acknowledgeRoute(db, acknowledgement),
    insertServingWindows: (windows) => insertServingWindows(db, windows),
    forgetGateway: (gatewayId) => forgetGateway(db, gatewayId),
    async onRouteChange(changed) {
      // The driver listens again by itself after a lost connection and calls back then, so that nothing missed stays missed.
      const listener = await db.sql.listen(routeChannel, changed, changed);
      return () => listener.unlisten();
    },
  };
}
