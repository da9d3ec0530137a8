import { applyResultSchema, type ApplyRequest } from './apply.js';
import { healthSchema } from './health.js';
import { modelDetailSchema, modelListSchema, type RetireRequest } from './models.js';
import { openWorkSchema } from './open-work.js';
import type { PageQuery } from './page.js';
import { promotionPlanSchema } from './promotion-plan.js';
import { routesOfModelSchema } from './routes.js';
import { stackSchema } from './stack.js';
import { versionDetailSchema, versionListSchema, versionSummarySchema, type ArchiveRequest } from './versions.js';

import { segment, type Ask } from './ask.js';

/** Models, their versions, and the stack itself. */
export const registryCalls = ({ call, text, bytes, list }: Ask) => ({
  stack: () => call(stackSchema, '/stack'),
  /** @param timeoutMs after which it is given up: it is for people who wait */
  openWork: (timeoutMs: number) => call(openWorkSchema, '/stack/work', { timeoutMs }),
  health: () => call(healthSchema, '/health', { timeoutMs: 5_000 }),
  models: (query: PageQuery = {}) => list(modelListSchema, '/models', query),
  model: (name: string) => call(modelDetailSchema, `/models/${segment(name)}`),
  retireModel: (name: string, json: RetireRequest) =>
    call(routesOfModelSchema, `/models/${segment(name)}/retire`, { method: 'POST', json }).then((body) => body.routes),
  definition: (sha256: string) => text(`/definitions/${segment(sha256)}`),
  apply: (request: ApplyRequest) =>
    call(applyResultSchema, '/apply', { method: 'POST', json: request, timeoutMs: 60_000 }),
  versions: (model: string, query: PageQuery & { unarchived?: boolean | undefined } = {}) =>
    list(versionListSchema, `/models/${segment(model)}/versions`, query),
  version: (model: string, version: number) =>
    call(versionDetailSchema, `/models/${segment(model)}/versions/${version}`),
  promotionPlan: (model: string, version: number, environment: string, alsoShadow: readonly number[] = []) =>
    call(promotionPlanSchema, `/models/${segment(model)}/versions/${version}/plan`, {
      query: { environment, alsoShadow: alsoShadow.length > 0 ? alsoShadow.join(',') : undefined },
    }),
  archiveVersion: (model: string, version: number, json: ArchiveRequest) =>
    call(versionSummarySchema, `/models/${segment(model)}/versions/${version}/archive`, {
      method: 'POST',
      json,
    }),
  artifact: (model: string, version: number) =>
    bytes(`/models/${segment(model)}/versions/${version}/artifact`, { timeoutMs: 600_000 }),
  card: (model: string, version: number, format: 'md' | 'json') =>
    text(`/models/${segment(model)}/versions/${version}/card`, { query: { format } }),
});
