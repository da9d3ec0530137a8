import type { Environment } from '../names.js';

/**
 * `refused`: its file or definition cannot be served; `out-of-service`: its process ended too often; `back-in-service`:
 * it answers again; `contract-broken`: its contract refuses what the route's incumbent takes; `share-given-back`: a
 * rollout that nobody watched any more was closed, as the reconciler tells; `log-lost`, `log-kept`: what is answered
 * cannot be written to the gateway's disk, or can again; `not-in-store`: it is served, and the database does not know
 * its route; `let-go`: a person said that it ends.
 */
export const gatewayEventKinds = [
  'refused',
  'out-of-service',
  'back-in-service',
  'contract-broken',
  'share-given-back',
  'log-lost',
  'log-kept',
  'not-in-store',
  'let-go',
] as const;
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
