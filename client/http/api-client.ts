import type { ZodType } from 'zod';
import { identityText, type StackIdentity } from '../../domain/stack-identity.js';
import { applyResultSchema, type ApplyRequest } from './apply.js';
import {
  lakeListingSchema,
  landedResultSchema,
  putDataResultSchema,
  putFilesResultSchema,
  quarantineDetailSchema,
  quarantineEntrySchema,
  quarantineListSchema,
  removeDataResultSchema,
  type SwitchRequest,
} from './data.js';
import { gatewayEventListSchema, gatewayListSchema, trafficSchema } from './gateways.js';
import { healthSchema } from './health.js';
import { modelDetailSchema, modelListSchema, type RetireRequest } from './models.js';
import type { ListPage, PageQuery } from './page.js';
import { decisionReplySchema, promotionDetailSchema, promotionListSchema, type DecisionRequest } from './promotions.js';
import { promotionPlanSchema } from './promotion-plan.js';
import {
  requestBytes as sendBytes,
  requestJson as sendJson,
  requestText as sendText,
  type ApiRequest,
} from './request.js';
import { rolloutReplayListSchema, type RolloutReplayRequest } from './rollout-replay.js';
import { rolloutDetailSchema, rolloutListSchema, steeringReplySchema, type SteeringRequest } from './rollouts.js';
import { letGoReplySchema, routeListSchema, routesOfModelSchema, type LetGoRequest } from './routes.js';
import { runDetailSchema, runListSchema } from './runs.js';
import { scheduleListSchema } from './schedules.js';
import { stackSchema } from './stack.js';
import { versionDetailSchema, versionListSchema, versionSummarySchema, type ArchiveRequest } from './versions.js';

export type ApiClient = ReturnType<typeof createApiClient>;

export interface PutData {
  model: string;
  table: string;
  partition?: string | undefined;
  /** What the file was called, for the log. */
  name?: string | undefined;
  /** Keep earlier files of the partition beside this one. */
  append?: boolean | undefined;
  /** Land it although its partition is in the future or leaves a gap. */
  force?: boolean | undefined;
  actor?: string | undefined;
  bytes: Blob;
}

export interface RemoveData {
  model: string;
  table: string;
  partition?: string | undefined;
  actor: string;
  reason: string;
}

const segment = encodeURIComponent;

/**
 * The control API, typed. Every function throws a PerdureError: `server/unreachable` when nothing answers, otherwise
 * what the API said.
 * @param baseUrl for example `http://127.0.0.1:7400`
 * @param stack which stack is meant; another one at that address refuses. Without it, whichever answers there.
 */
export function createApiClient(baseUrl: string, stack?: StackIdentity) {
  const stamped = (request: ApiRequest): ApiRequest => ({ ...request, stack: stack && identityText(stack) });
  const requestJson = <T>(schema: ZodType<T>, base: string, path: string, request: ApiRequest = {}) =>
    sendJson(schema, base, path, stamped(request));
  const requestBytes = (base: string, path: string, request: ApiRequest = {}) =>
    sendBytes(base, path, stamped(request));
  const requestText = (base: string, path: string, request: ApiRequest = {}) => sendText(base, path, stamped(request));
  /** Without the names that 0.1 gave the items. */
  const list = async <Item>(schema: ZodType<ListPage<Item>>, path: string, query: object): Promise<ListPage<Item>> => {
    const { items, next } = await requestJson(schema, baseUrl, path, { query: { ...query } });
    return { items, next };
  };
  return {
    baseUrl,
    stack: () => requestJson(stackSchema, baseUrl, '/stack'),
    health: () => requestJson(healthSchema, baseUrl, '/health', { timeoutMs: 5_000 }),
    models: (query: PageQuery = {}) => list(modelListSchema, '/models', query),
    model: (name: string) => requestJson(modelDetailSchema, baseUrl, `/models/${segment(name)}`),
    retireModel: (name: string, json: RetireRequest) =>
      requestJson(routesOfModelSchema, baseUrl, `/models/${segment(name)}/retire`, { method: 'POST', json }).then(
        (body) => body.routes,
      ),
    definition: (sha256: string) => requestText(baseUrl, `/definitions/${segment(sha256)}`),
    apply: (request: ApplyRequest) =>
      requestJson(applyResultSchema, baseUrl, '/apply', { method: 'POST', json: request, timeoutMs: 60_000 }),

    data: (model: string, query: { limit?: number | undefined; before?: string | undefined } = {}) =>
      requestJson(lakeListingSchema, baseUrl, `/models/${segment(model)}/data`, { query }),
    putData: ({ model, table, bytes, ...query }: PutData) =>
      requestJson(putDataResultSchema, baseUrl, `/models/${segment(model)}/data/${segment(table)}`, {
        method: 'PUT',
        query,
        body: bytes,
        contentType: 'application/vnd.apache.parquet',
        timeoutMs: 600_000,
      }),
    /** Lands a file that does not count until `switchData` names it. */
    landData: ({ model, table, bytes, ...query }: Omit<PutData, 'append' | 'actor'>) =>
      requestJson(landedResultSchema, baseUrl, `/models/${segment(model)}/data/${segment(table)}/files`, {
        method: 'PUT',
        query,
        body: bytes,
        contentType: 'application/vnd.apache.parquet',
        timeoutMs: 600_000,
      }),
    switchData: (model: string, table: string, json: SwitchRequest) =>
      requestJson(putFilesResultSchema, baseUrl, `/models/${segment(model)}/data/${segment(table)}/manifest`, {
        method: 'POST',
        json,
        timeoutMs: 120_000,
      }),
    removeData: ({ model, table, ...query }: RemoveData) =>
      requestJson(removeDataResultSchema, baseUrl, `/models/${segment(model)}/data/${segment(table)}`, {
        method: 'DELETE',
        query: { ...query },
        timeoutMs: 600_000,
      }),
    quarantine: (query: PageQuery & { model?: string | undefined; all?: boolean | undefined } = {}) =>
      list(quarantineListSchema, '/quarantine', query),
    quarantined: (model: string, partition: string) =>
      requestJson(quarantineDetailSchema, baseUrl, `/quarantine/${segment(model)}/${segment(partition)}`),
    decideQuarantine: (
      model: string,
      partition: string,
      decision: 'release' | 'discard',
      json: { actor: string; comment: string },
    ) =>
      requestJson(quarantineEntrySchema, baseUrl, `/quarantine/${segment(model)}/${segment(partition)}/${decision}`, {
        method: 'POST',
        json,
      }),

    runs: (query: PageQuery & { model?: string | undefined } = {}) => list(runListSchema, '/runs', query),
    run: (id: string) => requestJson(runDetailSchema, baseUrl, `/runs/${segment(id)}`),
    schedules: (model: string) => requestJson(scheduleListSchema, baseUrl, `/models/${segment(model)}/schedules`),
    versions: (model: string, query: PageQuery & { unarchived?: boolean | undefined } = {}) =>
      list(versionListSchema, `/models/${segment(model)}/versions`, query),
    version: (model: string, version: number) =>
      requestJson(versionDetailSchema, baseUrl, `/models/${segment(model)}/versions/${version}`),
    promotionPlan: (model: string, version: number, environment: string, alsoShadow: readonly number[] = []) =>
      requestJson(promotionPlanSchema, baseUrl, `/models/${segment(model)}/versions/${version}/plan`, {
        query: { environment, alsoShadow: alsoShadow.length > 0 ? alsoShadow.join(',') : undefined },
      }),
    archiveVersion: (model: string, version: number, json: ArchiveRequest) =>
      requestJson(versionSummarySchema, baseUrl, `/models/${segment(model)}/versions/${version}/archive`, {
        method: 'POST',
        json,
      }),
    artifact: (model: string, version: number) =>
      requestBytes(baseUrl, `/models/${segment(model)}/versions/${version}/artifact`, { timeoutMs: 600_000 }),
    card: (model: string, version: number, format: 'md' | 'json') =>
      requestText(baseUrl, `/models/${segment(model)}/versions/${version}/card`, { query: { format } }),

    promotions: (query: PromotionQuery = {}) => list(promotionListSchema, '/promotions', query),
    promotion: (id: string) => requestJson(promotionDetailSchema, baseUrl, `/promotions/${segment(id)}`),
    decidePromotion: (id: string, json: DecisionRequest) =>
      requestJson(decisionReplySchema, baseUrl, `/promotions/${segment(id)}/decisions`, {
        method: 'POST',
        json,
        timeoutMs: 90_000,
      }),
    rollouts: (query: PageQuery & { model?: string | undefined; environment?: string | undefined } = {}) =>
      list(rolloutListSchema, '/rollouts', query),
    /** Signed by the API, which is what lets a command move traffic where decisions must be signed. */
    steerRollout: (id: string, json: SteeringRequest) =>
      requestJson(steeringReplySchema, baseUrl, `/rollouts/${segment(id)}/steering`, {
        method: 'POST',
        json,
        timeoutMs: 90_000,
      }),
    rollout: (id: string) => requestJson(rolloutDetailSchema, baseUrl, `/rollouts/${segment(id)}`),

    replayRollouts: (model: string, json: RolloutReplayRequest) =>
      requestJson(rolloutReplayListSchema, baseUrl, `/models/${segment(model)}/rollouts/replay`, {
        method: 'POST',
        json,
        timeoutMs: 120_000,
      }).then((body) => body.rollouts),

    routes: (query: PageQuery & { environment?: string | undefined } = {}) => list(routeListSchema, '/routes', query),
    routesOf: (model: string, query: { environment?: string | undefined; at?: string | undefined } = {}) =>
      requestJson(routesOfModelSchema, baseUrl, `/models/${segment(model)}/routes`, { query }).then(
        (body) => body.routes,
      ),
    routeHistory: (model: string, query: PageQuery & { environment?: string | undefined } = {}) =>
      list(routeListSchema, `/models/${segment(model)}/routes/history`, query),
    letGo: (model: string, json: LetGoRequest) =>
      requestJson(letGoReplySchema, baseUrl, `/models/${segment(model)}/routes/let-go`, { method: 'POST', json }),
    traffic: (model: string, query: { environment?: string | undefined } = {}) =>
      requestJson(trafficSchema, baseUrl, `/models/${segment(model)}/traffic`, { query }).then((body) => body.versions),
    gatewayEvents: (query: PageQuery & { model?: string | undefined; environment?: string | undefined } = {}) =>
      list(gatewayEventListSchema, '/gateways/events', query),
    gateways: (query: PageQuery = {}) => list(gatewayListSchema, '/gateways', query),
  };
}

export interface PromotionQuery extends PageQuery {
  model?: string | undefined;
  version?: number | undefined;
  environment?: string | undefined;
  workflowId?: string | undefined;
  /** Only those without an end. */
  open?: boolean | undefined;
}
