import { gatewayEventListSchema, gatewayListSchema, trafficSchema } from './gateways.js';
import type { PageQuery } from './page.js';
import { decisionReplySchema, promotionDetailSchema, promotionListSchema, type DecisionRequest } from './promotions.js';
import { rolloutReplayListSchema, type RolloutReplayRequest } from './rollout-replay.js';
import { rolloutDetailSchema, rolloutListSchema, steeringReplySchema, type SteeringRequest } from './rollouts.js';
import { letGoReplySchema, routeListSchema, routesOfModelSchema, type LetGoRequest } from './routes.js';

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
  promotions: (query: PromotionQuery = {}) => list(promotionListSchema, '/promotions', query),
  promotion: (id: string) => call(promotionDetailSchema, `/promotions/${segment(id)}`),
  decidePromotion: (id: string, json: DecisionRequest) =>
    call(decisionReplySchema, `/promotions/${segment(id)}/decisions`, {
      method: 'POST',
      json,
      timeoutMs: 90_000,
    }),
  rollouts: (query: PageQuery & { model?: string | undefined; environment?: string | undefined } = {}) =>
    list(rolloutListSchema, '/rollouts', query),
  /** Signed by the API, which is what lets a command move traffic where decisions must be signed. */
  steerRollout: (id: string, json: SteeringRequest) =>
    call(steeringReplySchema, `/rollouts/${segment(id)}/steering`, {
      method: 'POST',
      json,
      timeoutMs: 90_000,
    }),
  rollout: (id: string) => call(rolloutDetailSchema, `/rollouts/${segment(id)}`),
  replayRollouts: (model: string, json: RolloutReplayRequest) =>
    call(rolloutReplayListSchema, `/models/${segment(model)}/rollouts/replay`, {
      method: 'POST',
      json,
      timeoutMs: 120_000,
    }).then((body) => body.rollouts),
  routes: (query: PageQuery & { environment?: string | undefined } = {}) => list(routeListSchema, '/routes', query),
  routesOf: (model: string, query: { environment?: string | undefined; at?: string | undefined } = {}) =>
    call(routesOfModelSchema, `/models/${segment(model)}/routes`, { query }).then((body) => body.routes),
  routeHistory: (model: string, query: PageQuery & { environment?: string | undefined } = {}) =>
    list(routeListSchema, `/models/${segment(model)}/routes/history`, query),
  letGo: (model: string, json: LetGoRequest) =>
    call(letGoReplySchema, `/models/${segment(model)}/routes/let-go`, { method: 'POST', json }),
  traffic: (model: string, query: { environment?: string | undefined } = {}) =>
    call(trafficSchema, `/models/${segment(model)}/traffic`, { query }).then((body) => body.versions),
  gatewayEvents: (query: PageQuery & { model?: string | undefined; environment?: string | undefined } = {}) =>
    list(gatewayEventListSchema, '/gateways/events', query),
  gateways: (query: PageQuery = {}) => list(gatewayListSchema, '/gateways', query),
});
