import { z } from 'zod';
import { PerdureError } from '../../domain/errors.js';
import { quoted, refusal } from '../../inference/refusal.js';
import type { RouteTable } from '../routing/route-table.js';

export interface IndexEntry {
  name: string;
  version: string;
  state: 'READY' | 'UNAVAILABLE';
  reason: string;
}

export interface Repository {
  table: RouteTable;
  /** Routes that could not be put in force, with the reason. */
  problems: () => readonly { model: string; message: string }[];
  /** Why a loaded version is out of service, by its key; undefined while it answers. */
  outOfService: (key: string) => string | undefined;
}

/**
 * The model repository extension, for reading: every loaded version, and the models whose route could not be put in
 * force.
 */
export function repositoryIndex(
  { table, problems, outOfService }: Repository,
  { ready }: { ready: boolean },
): IndexEntry[] {
  const loaded = table.versions().map(({ key, served: { model, version } }): IndexEntry => {
    const reason = outOfService(key);
    return {
      name: model,
      version: String(version),
      state: reason === undefined ? 'READY' : 'UNAVAILABLE',
      reason: reason ?? '',
    };
  });
  if (ready) return loaded.filter(({ state }) => state === 'READY');
  const missing = problems()
    .filter(({ model }) => table.route(model) === undefined)
    .map(({ model, message }): IndexEntry => ({ name: model, version: '', state: 'UNAVAILABLE', reason: message }));
  return [...loaded, ...missing];
}

const indexRequestSchema = z.object({ ready: z.boolean().default(false) });

/** Reads the body of `POST /v2/repository/index`, which may be empty. @throws PerdureError `input/invalid`. */
export function parseIndexRequest(body: unknown): { ready: boolean } {
  const text = Buffer.isBuffer(body) ? body.toString('utf8').trim() : '';
  if (text === '') return { ready: false };
  try {
    return indexRequestSchema.parse(JSON.parse(text));
  } catch {
    throw refusal(
      `The body ${quoted(text)} does not ask for an index.`,
      'Send {}, or {"ready": true} for what is ready only.',
    );
  }
}

/** What is served is decided by promotions, never by whoever can reach a gateway. */
export function refuseRepositoryChange(model: string, change: 'load' | 'unload'): PerdureError {
  return new PerdureError(
    'access/denied',
    `Model ${quoted(model)} cannot be ${change}ed here: a gateway serves promoted versions. Use perdure ` +
      'promote, or perdure rollback.',
  );
}
