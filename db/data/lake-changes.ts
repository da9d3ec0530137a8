import { isDeepStrictEqual } from 'node:util';
import { setTimeout as pause } from 'node:timers/promises';
import { and, desc, eq, inArray } from 'drizzle-orm';
import { z } from 'zod';
import { PerdureError } from '../../domain/errors.js';
import { countedObjects, type OpenLakeChange } from '../../domain/data/lake-change.js';
import type { Database } from '../connect.js';
import { lakeChanges } from '../schema/index.js';

/** How long a change waits for another one of the same place: an upload may take minutes. */
const lockTimeoutMs = 600_000;
const listingsMax = 30;
/** Ids may become visible in another order than they were given: more than one is compared. */
const newestCount = 20;
const openSteps = ['landing', 'taking-over'] as const;

const openSchema = z.array(
  z.object({
    id: z.coerce.number(),
    step: z.enum(openSteps),
    key: z.string().nullable(),
    replaced: z.array(z.string()),
  }),
);

/** The changes of one place, for whoever holds its lock. Every step is durable at once. */
export interface LakeBook {
  /** What others left when they died. */
  open(): Promise<OpenLakeChange[]>;
  begin(change: {
    model: string;
    key: string | null;
    replaced: readonly string[];
    actor: string;
    reason: string | null;
  }): Promise<number>;
  step(id: number, from: OpenLakeChange['step'], to: 'taking-over' | 'done' | 'abandoned'): Promise<void>;
}

/**
 * Runs `work` while nobody else changes the lake below this prefix, in whichever process. The lock and the steps share
 * one connection, so that waiting changes never starve the one that works.
 */
export async function withLakeBook<T>(db: Database, prefix: string, work: (book: LakeBook) => Promise<T>): Promise<T> {
  const connection = await db.sql.reserve();
  try {
    await connection`select set_config('statement_timeout', ${String(lockTimeoutMs)}, false)`;
    await connection`select pg_advisory_lock(hashtextextended(${prefix}, 7433))`;
    try {
      return await work({
        open: async () =>
          openSchema.parse(
            await connection`select id, step, key, replaced from lake_changes where prefix = ${prefix} and step in ('landing', 'taking-over') order by id`,
          ),
        async begin({ model, key, replaced, actor, reason }) {
          const [row] = await connection`insert into lake_changes (model, prefix, key, replaced, step, actor, reason)
            values (${model}, ${prefix}, ${key}, ${[...replaced]}, 'landing', ${actor}, ${reason}) returning id`;
          return z.object({ id: z.coerce.number() }).parse(row).id;
        },
        async step(id, from, to) {
          const { count } = await connection`update lake_changes set step = ${to} where id = ${id} and step = ${from}`;
          if (count !== 1) throw new Error(`change ${id} of the lake is not ${from} any more`);
        },
      });
    } finally {
      await connection`select pg_advisory_unlock(hashtextextended(${prefix}, 7433))`;
      await connection`reset statement_timeout`;
    }
  } finally {
    connection.release();
  }
}

/** The places of all models where a change died. */
export async function openLakePlaces(db: Database): Promise<string[]> {
  const rows = await db.orm
    .selectDistinct({ prefix: lakeChanges.prefix })
    .from(lakeChanges)
    .where(inArray(lakeChanges.step, [...openSteps]));
  return rows.map(({ prefix }) => prefix);
}

/**
 * What counts in the lake of a model: every place as it was before a change or as it is after it, never between. Listed
 * again when a change went on meanwhile.
 * @throws PerdureError `data/changing` when that does not end.
 */
export async function countedLake<T extends { key: string }>(
  db: Database,
  model: string,
  list: () => Promise<T[]>,
): Promise<T[]> {
  let before = await changesOf(db, model);
  for (let attempt = 1; attempt <= listingsMax; attempt += 1) {
    const listed = await list();
    const after = await changesOf(db, model);
    if (isDeepStrictEqual(before, after)) return countedObjects(listed, after.open);
    before = after;
    await pause(20 * attempt);
  }
  throw new PerdureError(
    'data/changing',
    `The lake of ${model} changes faster than it can be listed. Try again when less is put at once.`,
    {
      model,
    },
  );
}

async function changesOf(db: Database, model: string): Promise<{ newest: number[]; open: OpenLakeChange[] }> {
  const newest = await db.orm
    .select({ id: lakeChanges.id })
    .from(lakeChanges)
    .where(eq(lakeChanges.model, model))
    .orderBy(desc(lakeChanges.id))
    .limit(newestCount);
  const open = await db.orm
    .select({ id: lakeChanges.id, step: lakeChanges.step, key: lakeChanges.key, replaced: lakeChanges.replaced })
    .from(lakeChanges)
    .where(and(eq(lakeChanges.model, model), inArray(lakeChanges.step, [...openSteps])))
    .orderBy(lakeChanges.id);
  return { newest: newest.map(({ id }) => id), open: openSchema.parse(open) };
}
