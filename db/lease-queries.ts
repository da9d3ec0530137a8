import { and, eq, isNull, sql } from 'drizzle-orm';
import type { LeaseGrant } from '../domain/lease-holder.js';
import type { Database } from './connect.js';
import { leases } from './schema/index.js';

/** A database, or a transaction of one. */
type Queries = { orm: Pick<Database['orm'], 'insert' | 'select'> };

/**
 * Takes a free lease, or finds that `holder` has it already (a repeated activity). Otherwise says who holds it, and for
 * how long by now.
 */
export async function acquireLease(
  db: Queries,
  name: string,
  holder: string,
): Promise<{ grant: LeaseGrant } | { heldBy: string; token: number; heldForMs: number }> {
  await db.orm
    .insert(leases)
    .values({ name, holder, token: 1 })
    .onConflictDoUpdate({
      target: leases.name,
      set: { holder, token: sql`${leases.token} + 1`, acquiredAt: sql`now()`, releasedAt: null },
      setWhere: sql`${leases.releasedAt} is not null`,
    });
  const [row] = await db.orm
    .select({
      holder: leases.holder,
      token: leases.token,
      releasedAt: leases.releasedAt,
      heldForMs: sql<number>`(extract(epoch from now() - ${leases.acquiredAt}) * 1000)::float8`,
    })
    .from(leases)
    .where(eq(leases.name, name));
  if (row?.holder === holder && row.releasedAt === null) return { grant: { name, holder, token: row.token } };
  return { heldBy: row?.holder ?? 'nobody', token: row?.token ?? 0, heldForMs: row?.heldForMs ?? 0 };
}

/**
 * Takes a lease away from a holder that has ended, or that must give way: what it still writes is fenced off by the
 * token. False when it changed hands meanwhile.
 */
export async function takeOverLease(
  db: Database,
  name: string,
  from: { heldBy: string; token: number },
  holder: string,
): Promise<boolean> {
  const taken = await db.orm
    .update(leases)
    .set({ holder, token: sql`${leases.token} + 1`, acquiredAt: sql`now()`, releasedAt: null })
    .where(
      and(
        eq(leases.name, name),
        eq(leases.holder, from.heldBy),
        eq(leases.token, from.token),
        isNull(leases.releasedAt),
      ),
    )
    .returning({ token: leases.token });
  return taken.length === 1;
}

/** Gives a lease back. Nothing happens when it is no longer held under this token, or was given back already. */
export async function releaseLease(db: Database, grant: LeaseGrant): Promise<void> {
  await db.orm
    .update(leases)
    .set({ releasedAt: sql`now()` })
    .where(
      and(
        eq(leases.name, grant.name),
        eq(leases.holder, grant.holder),
        eq(leases.token, grant.token),
        isNull(leases.releasedAt),
      ),
    );
}
