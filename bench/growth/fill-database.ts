import postgres from 'postgres';
import type { ObjectStore } from '../../adapters/object-store/object-store.js';
import { connectDatabase } from '../../db/connect.js';
import { applyDefinition } from '../../db/model/definition-queries.js';
import { digestOf } from '../../domain/canonical-json.js';
import { migrating } from '../../db/enforce-table-rules.js';
import { copyLives } from './copy-lives.js';
import { growthDefinitions } from './definitions.js';
import { liveOnce } from './first-life.js';
import { fillServing } from './fill-serving.js';
import type { GrowthShape } from './shape.js';

const first = 'growth-first';

/**
 * Fills a migrated database with what so many models leave behind in so many months.
 * @param artifacts the digest of what each model serves now, by model; every other version has a digest of its own
 */
export async function fillDatabase(
  { url, ownerUrl }: { url: string; ownerUrl: string },
  store: Pick<ObjectStore, 'put'>,
  shape: GrowthShape,
  artifacts: ReadonlyMap<string, string>,
): Promise<void> {
  const db = connectDatabase(url);
  const sql = postgres(ownerUrl, { max: 1, onnotice: () => undefined });
  try {
    const definitions = growthDefinitions(shape);
    const [pattern] = definitions;
    if (pattern === undefined) throw new RangeError('there is no model');
    const definition = { ...pattern, name: first };
    for (const one of [definition, ...definitions]) await applyDefinition(db, one, 'ada@example.org');
    await liveOnce({ db, store, shape, definition, artifactSha256: digestOf(first) });
    await sql`select set_config(${migrating}, 'on', false)`;
    await copyLives(sql, shape, first, artifacts);
    await fillServing(sql, shape);
    await sql`vacuum analyze`;
  } finally {
    await sql.end({ timeout: 5 });
    await db.close();
  }
}
