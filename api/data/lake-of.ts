import { definitionInForce } from '../../db/model/definition-queries.js';
import { definitionsInForce } from '../../db/model/model-lists.js';
import { PerdureError } from '../../domain/errors.js';
import type { LakeReader } from '../../domain/data/lake/lake-files.js';
import { sharedOwner } from '../../domain/data/lake/lake-owner.js';
import { sharedLake, sharedTables, type SharedTable, type SharingModel } from '../../domain/data/lake/shared-table.js';
import type { ApiDeps } from '../deps.js';

type Deps = Pick<ApiDeps, 'db'>;

/** The tables that models share, as the definitions in force declare them. */
export async function sharedTablesInForce({ db }: Deps): Promise<SharedTable[]> {
  return sharedTables((await definitionsInForce(db)).map(({ definition }) => definition));
}

/**
 * The lake in which a table of a model lies, and the models that read it; `shared` stands for the tables that models
 * share.
 * @throws PerdureError `not-found` for an unknown model or a table that nobody shares.
 */
export async function lakeOf(
  deps: Deps,
  { model, table }: { model: string; table: string },
): Promise<{ lake: LakeReader; readers: SharingModel[] }> {
  if (model !== sharedOwner) {
    const { definition } = await definitionInForce(deps.db, model);
    return { lake: definition, readers: [definition] };
  }
  const tables = await sharedTablesInForce(deps);
  const found = tables.find((one) => one.table === table);
  const lake = found && sharedLake(found);
  if (!lake)
    throw new PerdureError(
      'not-found',
      `table: no model shares a table ${JSON.stringify(table)}. Shared are: ` +
        `${tables.map((one) => one.table).join(', ') || 'none'}. A definition shares one with ` +
        '`data.tables.TABLE.shared: true`.',
      { table },
    );
  return { lake, readers: found.readers };
}
