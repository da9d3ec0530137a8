import type { Database } from '../../db/connect.js';
import { definitionByDigest } from '../../db/model/definition-queries.js';
import { insertGatewayEvents } from '../../db/serving/gateway-events.js';
import { acknowledgeRoute, forgetGateway, recordGateway } from '../../db/serving/gateway-queries.js';
import { passportFacts } from '../../db/serving/passport-queries.js';
import { routeChannel } from '../../db/serving/route-queries.js';
import { insertServingWindows } from '../../db/serving/serving-windows.js';
import { PerdureError } from '../../domain/errors.js';
import type { Environment } from '../../domain/names.js';
import type { ControlPlane } from './control-plane.js';
import { RouteReader } from './route-reader.js';

/**
 * A server that is frozen or cut off answers nothing at all: after this long a call counts as failed and may be made
 * again.
 */
const callTimeoutMs = 6_000;

/** The control plane as PostgreSQL holds it. */
export function postgresControlPlane(db: Database): ControlPlane {
  const readers = new Map<Environment, RouteReader>();
  const readerOf = (environment: Environment) => {
    const reader = readers.get(environment) ?? new RouteReader(db, environment);
    readers.set(environment, reader);
    return reader;
  };
  return {
    routeState: (environment) => inTime(readerOf(environment).read()),
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
      const connected = () => {
        for (const reader of readers.values()) reader.forget();
        changed();
      };
      const listener = await db.sql.listen(routeChannel, changed, connected);
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
