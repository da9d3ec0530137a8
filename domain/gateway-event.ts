import type { Environment } from './names.js';

/**
 * `refused`: its file or definition cannot be served; `out-of-service`: its process ended too often; `back-in-service`: it answers again; `contract-broken`: its contract refuses
 * what the route's incumbent takes; `share-given-back`: a rollout that nobody watched any more was closed, as the reconciler tells.
 */
export const gatewayEventKinds = ['refused', 'out-of-service', 'back-in-service', 'contract-broken', 'share-given-back'] as const;
export type GatewayEventKind = (typeof gatewayEventKinds)[number];

/** What happened to a version at one gateway. */
export interface GatewayEvent {
  /** Unique: gateway process and a rising number, so that sending twice counts once. */
  id: string;
  gatewayId: string;
  environment: Environment;
  model: string;
  version: number | null;
  kind: GatewayEventKind;
  message: string;
  /** ISO 8601, UTC. */
  at: string;
}
