import type { GatewayEvent } from '../../domain/serving/gateway-event.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import type { Environment } from '../../domain/names.js';
import type { PassportFacts, PassportQuestion } from '../../domain/serving/passport.js';
import type { FormerVersion, Route, ServedVersion } from '../../domain/serving/route.js';
import type { ServingWindow } from '../../domain/serving/serving-window.js';

/** All routes of an environment and the versions that they name, as the control plane holds them. */
export interface RouteState {
  storeId: string;
  routes: Route[];
  versions: ServedVersion[];
  /**
   * Versions that a route went back from lately: callers who had moved on to one still send what it knew. Absent where
   * an earlier release kept the routes.
   */
  former?: FormerVersion[] | undefined;
  /** Models without a route here that a person lets go. */
  released?: readonly string[];
}

/** What a gateway asks of the control plane. Any call may fail at any time: the gateway serves on. */
export interface ControlPlane {
  routeState: (environment: Environment) => Promise<RouteState>;
  definitionByDigest: (sha256: string) => Promise<ModelDefinition>;
  recordGateway: (heartbeat: {
    gatewayId: string;
    environment: Environment;
    url: string;
    bootId: string;
  }) => Promise<void>;
  acknowledgeRoute: (acknowledgement: {
    gatewayId: string;
    environment: Environment;
    model: string;
    storeId: string;
    epoch: number;
    error?: string;
  }) => Promise<void>;
  insertServingWindows: (windows: readonly ServingWindow[]) => Promise<void>;
  insertGatewayEvents: (events: readonly GatewayEvent[]) => Promise<void>;
  passportFacts: (question: PassportQuestion) => Promise<PassportFacts>;
  forgetGateway: (gateway: { gatewayId: string; bootId: string }) => Promise<void>;
  /** Calls back when routes may have changed; keeps listening across reconnects. Returns how to stop. */
  onRouteChange: (changed: () => void) => Promise<() => Promise<void>>;
}

/** Where artifacts come from. */
export interface ArtifactSource {
  /** Writes the object to `path`, whole or not at all, its digest verified. */
  getToFile: (key: string, path: string, options: { sha256: string }) => Promise<unknown>;
}
