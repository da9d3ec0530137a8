import type { ProgramArchive } from '../../../domain/training/program-archive.js';
import type { ApplyRequest } from '../apply.js';
import type { RetireRequest } from '../models.js';
import type { PageQuery } from '../page.js';
import type { ArchiveRequest } from '../versions.js';
import { segment, type Ask } from './ask.js';

/** Models, their versions, and the stack itself. */
export const registryCalls = ({ call, text, bytes, list }: Ask) => ({
  stack: () => call(async () => (await import('../stack.js')).stackSchema, '/stack'),
  /** @param timeoutMs after which it is given up: it is for people who wait */
  openWork: (timeoutMs: number) =>
    call(async () => (await import('../open-work.js')).openWorkSchema, '/stack/work', { timeoutMs }),
  health: () => call(async () => (await import('../health.js')).healthSchema, '/health', { timeoutMs: 5_000 }),
  models: (query: PageQuery = {}) => list(async () => (await import('../models.js')).modelListSchema, '/models', query),
  model: (name: string) =>
    call(async () => (await import('../models.js')).modelDetailSchema, `/models/${segment(name)}`),
  retireModel: (name: string, json: RetireRequest) =>
    call(async () => (await import('../routes.js')).routesOfModelSchema, `/models/${segment(name)}/retire`, {
      method: 'POST',
      json,
    }).then((body) => body.routes),
  definition: (sha256: string) => text(`/definitions/${segment(sha256)}`),
  apply: (request: ApplyRequest) =>
    call(async () => (await import('../apply.js')).applyResultSchema, '/apply', {
      method: 'POST',
      json: request,
      timeoutMs: 60_000,
    }),
  keepProgram: (sha256: string, json: ProgramArchive) =>
    call(async () => (await import('../programs.js')).keptProgramSchema, `/programs/${segment(sha256)}`, {
      method: 'PUT',
      json,
      timeoutMs: 120_000,
    }),
  sendModel: (model: string, file: Blob) =>
    call(async () => (await import('../imports.js')).sentModelSchema, `/models/${segment(model)}/imports`, {
      method: 'PUT',
      body: file,
      contentType: 'application/octet-stream',
      timeoutMs: 600_000,
    }),
  versions: (model: string, query: PageQuery & { unarchived?: boolean | undefined } = {}) =>
    list(async () => (await import('../versions.js')).versionListSchema, `/models/${segment(model)}/versions`, query),
  version: (model: string, version: number) =>
    call(
      async () => (await import('../versions.js')).versionDetailSchema,
      `/models/${segment(model)}/versions/${version}`,
    ),
  promotionPlan: (model: string, version: number, environment: string, alsoShadow: readonly number[] = []) =>
    call(
      async () => (await import('../promotion-plan.js')).promotionPlanSchema,
      `/models/${segment(model)}/versions/${version}/plan`,
      {
        query: { environment, alsoShadow: alsoShadow.length > 0 ? alsoShadow.join(',') : undefined },
      },
    ),
  archiveVersion: (model: string, version: number, json: ArchiveRequest) =>
    call(
      async () => (await import('../versions.js')).versionSummarySchema,
      `/models/${segment(model)}/versions/${version}/archive`,
      {
        method: 'POST',
        json,
      },
    ),
  artifact: (model: string, version: number) =>
    bytes(`/models/${segment(model)}/versions/${version}/artifact`, { timeoutMs: 600_000 }),
  card: (model: string, version: number, format: 'md' | 'json') =>
    text(`/models/${segment(model)}/versions/${version}/card`, { query: { format } }),
});
