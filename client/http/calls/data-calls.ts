import type { SwitchRequest } from '../data.js';
import type { PageQuery } from '../page.js';
import { segment, type Ask } from './ask.js';

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

/** The lake, its quarantine, and the runs that read it. */
export const dataCalls = ({ call, list }: Ask) => ({
  data: (model: string, query: { limit?: number | undefined; before?: string | undefined } = {}) =>
    call(async () => (await import('../data.js')).lakeListingSchema, `/models/${segment(model)}/data`, { query }),
  putData: ({ model, table, bytes, ...query }: PutData) =>
    call(
      async () => (await import('../data.js')).putDataResultSchema,
      `/models/${segment(model)}/data/${segment(table)}`,
      {
        method: 'PUT',
        query,
        body: bytes,
        contentType: 'application/vnd.apache.parquet',
        timeoutMs: 600_000,
      },
    ),
  /** Lands a file that does not count until `switchData` names it. */
  landData: ({ model, table, bytes, ...query }: Omit<PutData, 'append' | 'actor'>) =>
    call(
      async () => (await import('../data.js')).landedResultSchema,
      `/models/${segment(model)}/data/${segment(table)}/files`,
      {
        method: 'PUT',
        query,
        body: bytes,
        contentType: 'application/vnd.apache.parquet',
        timeoutMs: 600_000,
      },
    ),
  switchData: (model: string, table: string, json: SwitchRequest) =>
    call(
      async () => (await import('../data.js')).putFilesResultSchema,
      `/models/${segment(model)}/data/${segment(table)}/manifest`,
      {
        method: 'POST',
        json,
        timeoutMs: 120_000,
      },
    ),
  removeData: ({ model, table, ...query }: RemoveData) =>
    call(
      async () => (await import('../data.js')).removeDataResultSchema,
      `/models/${segment(model)}/data/${segment(table)}`,
      {
        method: 'DELETE',
        query: { ...query },
        timeoutMs: 600_000,
      },
    ),
  quarantine: (query: PageQuery & { model?: string | undefined; all?: boolean | undefined } = {}) =>
    list(async () => (await import('../data.js')).quarantineListSchema, '/quarantine', query),
  quarantined: (model: string, partition: string) =>
    call(
      async () => (await import('../data.js')).quarantineDetailSchema,
      `/quarantine/${segment(model)}/${segment(partition)}`,
    ),
  decideQuarantine: (
    model: string,
    partition: string,
    decision: 'release' | 'discard',
    json: { actor: string; comment: string },
  ) =>
    call(
      async () => (await import('../data.js')).quarantineEntrySchema,
      `/quarantine/${segment(model)}/${segment(partition)}/${decision}`,
      {
        method: 'POST',
        json,
      },
    ),
  runs: (query: PageQuery & { model?: string | undefined } = {}) =>
    list(async () => (await import('../runs.js')).runListSchema, '/runs', query),
  run: (id: string) => call(async () => (await import('../runs.js')).runDetailSchema, `/runs/${segment(id)}`),
  schedules: (model: string, query: PageQuery = {}) =>
    list(
      async () => (await import('../schedules.js')).scheduleListSchema,
      `/models/${segment(model)}/schedules`,
      query,
    ),
});
