import type { ControlPlane } from './control-plane.js';

/**
 * A control plane that is opened by the first call: what its driver costs to load must not stand between a restarted
 * gateway and its first answer.
 */
export function controlPlaneOnDemand(open: () => Promise<ControlPlane>): ControlPlane {
  let opened: Promise<ControlPlane> | undefined;
  const plane = () => (opened ??= open());
  return {
    routeState: async (environment) => (await plane()).routeState(environment),
    definitionByDigest: async (sha256) => (await plane()).definitionByDigest(sha256),
    recordGateway: async (heartbeat) => (await plane()).recordGateway(heartbeat),
    acknowledgeRoute: async (acknowledgement) => (await plane()).acknowledgeRoute(acknowledgement),
    insertServingWindows: async (windows) => (await plane()).insertServingWindows(windows),
    insertGatewayEvents: async (events) => (await plane()).insertGatewayEvents(events),
    passportFacts: async (question) => (await plane()).passportFacts(question),
    forgetGateway: async (gateway) => (await plane()).forgetGateway(gateway),
    onRouteChange: async (changed) => (await plane()).onRouteChange(changed),
  };
}
