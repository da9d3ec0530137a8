import type { PageQuery } from '../page.js';
import type { DecisionRequest } from '../promotions.js';
import type { RolloutReplayRequest } from '../rollout-replay.js';
import type { SteeringRequest } from '../rollouts.js';
import type { GatewayOnDemandRequest } from '../gateways.js';
import type { LetGoRequest } from '../routes.js';
import { segment, type Ask } from './ask.js';

export interface PromotionQuery extends PageQuery {
  model?: string | undefined;
  version?: number | undefined;
  environment?: string | undefined;
  workflowId?: string | undefined;
  /** Only those without an end. */
  open?: boolean | undefined;
}

/** Promotions, rollouts, routes and the gateways that serve them. */
export const rolloutCalls = ({ call, list }: Ask) => ({
  promotions: (query: PromotionQuery = {}) =>
    list(async () => (await import('../promotions.js')).promotionListSchema, '/promotions', query),
  promotion: (id: string) =>
    call(async () => (await import('../promotions.js')).promotionDetailSchema, `/promotions/${segment(id)}`),
  decidePromotion: (id: string, json: DecisionRequest) =>
    call(async () => (await import('../promotions.js')).decisionReplySchema, `/promotions/${segment(id)}/decisions`, {
      method: 'POST',
      json,
      timeoutMs: 90_000,
    }),
  rollouts: (query: PageQuery & { model?: string | undefined; environment?: string | undefined } = {}) =>
    list(async () => (await import('../rollouts.js')).rolloutListSchema, '/rollouts', query),
  /** Signed by the API, which is what lets a command move traffic where decisions must be signed. */
  steerRollout: (id: string, json: SteeringRequest) =>
    call(async () => (await import('../rollouts.js')).steeringReplySchema, `/rollouts/${segment(id)}/steering`, {
      method: 'POST',
      json,
      timeoutMs: 90_000,
    }),
  rollout: (id: string) =>
    call(async () => (await import('../rollouts.js')).rolloutDetailSchema, `/rollouts/${segment(id)}`),
  replayRollouts: (model: string, json: RolloutReplayRequest) =>
    call(
      async () => (await import('../rollout-replay.js')).rolloutReplayListSchema,
      `/models/${segment(model)}/rollouts/replay`,
      {
        method: 'POST',
        json,
        timeoutMs: 120_000,
      },
    ).then((body) => body.rollouts),
  routes: (query: PageQuery & { environment?: string | undefined } = {}) =>
    list(async () => (await import('../routes.js')).routeListSchema, '/routes', query),
  routesOf: (model: string, query: { environment?: string | undefined; at?: string | undefined } = {}) =>
    call(async () => (await import('../routes.js')).routesOfModelSchema, `/models/${segment(model)}/routes`, {
      query,
    }).then((body) => body.routes),
  routeHistory: (model: string, query: PageQuery & { environment?: string | undefined } = {}) =>
    list(async () => (await import('../routes.js')).routeListSchema, `/models/${segment(model)}/routes/history`, query),
  startGateway: (json: GatewayOnDemandRequest) =>
    call(async () => (await import('../gateways.js')).gatewayOnDemandSchema, '/gateways/start', {
      method: 'POST',
      json,
    }),
  stopGateway: (json: GatewayOnDemandRequest) =>
    call(async () => (await import('../gateways.js')).gatewayOnDemandSchema, '/gateways/stop', {
      method: 'POST',
      json,
    }),
  letGo: (model: string, json: LetGoRequest) =>
    call(async () => (await import('../routes.js')).letGoReplySchema, `/models/${segment(model)}/routes/let-go`, {
      method: 'POST',
      json,
    }),
  traffic: (model: string, query: { environment?: string | undefined } = {}) =>
    call(async () => (await import('../gateways.js')).trafficSchema, `/models/${segment(model)}/traffic`, {
      query,
    }).then((body) => body.versions),
  gatewayEvents: (query: PageQuery & { model?: string | undefined; environment?: string | undefined } = {}) =>
    list(async () => (await import('../gateways.js')).gatewayEventListSchema, '/gateways/events', query),
  gateways: (query: PageQuery = {}) =>
    list(async () => (await import('../gateways.js')).gatewayListSchema, '/gateways', query),
});
