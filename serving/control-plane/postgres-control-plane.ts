import type { Database } from '../../db/connect.js';
import { definitionByDigest } from '../../db/model/definition-queries.js';
import { insertGatewayEvents } from '../../db/serving/gateway-events.js';
import {
  acknowledgeRoute,
  forgetGateway,
  insertServingWindows,
  recordGateway,
} from '../../db/serving/gateway-queries.js';
import { passportFacts } from '../../db/serving/passport-queries.js';
import { releasedModels } from '../../db/serving/route-releases.js';
import { routeChannel, routeState } from '../../db/serving/route-queries.js';
import { PerdureError } from '../../domain/errors.js';
import type { ControlPlane } from './control-plane.js';

/**
 * A server that is frozen or cut off answers nothing at all: after this long a call counts as failed and may be made
 * again.
 */
const callTimeoutMs = 6_000;

/** The control plane as PostgreSQL holds it. */
export function postgresControlPlane(db: Database): ControlPlane {
  return {
    routeState: (environment) =>
      inTime(
        Promise.all([routeState(db, environment), releasedModels(db, environment)]).then(([state, released]) => ({
          ...state,
          released,
        })),
      ),
    definitionByDigest: (sha256) => inTime(definitionByDigest(db, sha256)),
    recordGateway: (heartbeat) => inTime(recordGateway(db, heartbeat)),
    acknowledgeRoute: (acknowledgement) => inTime(acknowledgeRoute(db, acknowledgement)),
    insertServingWindows: (windows) => inTime(insertServingWindows(db, windows)),
    insertGatewayEvents: (events) => inTime(insertGatewayEvents(db, events)),
    passportFacts: (question) => inTime(passportFacts(db, question)),
    forgetGateway: (gateway) => inTime(forgetGateway(db, gateway)),
    async onRouteChange(changed) {
      // The driver listens again by itself after a lost connection and calls back then, so that nothing missed stays
      // missed.
      const listener = await db.sql.listen(routeChannel, changed, changed);
      return () => listener.unlisten();
    },
  };
}

function inTime<T>(call: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      reject(
        new PerdureError(
          'server/unreachable',
          `PostgreSQL did not answer within ${callTimeoutMs / 1000} s. Check that it runs: \`npx perdure status\`.`,
        ),
      );
    }, callTimeoutMs);
    call.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
