import { objectKeyProblem } from '../../object-key-problem.js';
import type { Contract } from '../contract.js';
import type { DataPolicy } from '../data-policy.js';
import { sharedOwner } from './lake-owner.js';
import { objectKeys } from '../../object-keys.js';
import { cadenceIn, cadenceWords, type Cadence } from '../../cadence.js';
import { cadenceOf, partitionInFolder, type Partition } from '../../partition.js';

/** What an object below `lake/MODEL/`, or below `lake/shared/`, is to a model. */
export type LakeFile =
  | { kind: 'data'; table: string; partition: Partition | null }
  /** What writers leave beside their data: no data, by rule. */
  | { kind: 'leftover' }
  /** Lies where nothing reads it, though it may be meant as data. */
  | { kind: 'stray'; problem: string };

/** The tables of a definition, as far as the lake knows them. */
export interface LakeTables {
  cadence?: Cadence | undefined;
  tables: Readonly<Record<string, { partitioned: boolean; shared?: boolean | undefined }>>;
}

/** Who reads a lake: a model, as far as that goes. */
export interface LakeReader {
  name: string;
  contract: Pick<Contract, 'eventTime'>;
  data: Pick<DataPolicy, 'base' | 'cadence' | 'joins' | 'tables' | 'timeZone' | 'window'>;
}

/** Whether a model reads what lies in this place: another definition may have put it there. */
export function isPlaceOf(data: LakeTables, { table, partition }: { table: string; partition: Partition | null }) {
  if (!Object.hasOwn(data.tables, table)) return false;
  return data.tables[table]?.partitioned
    ? partition !== null && cadenceOf(partition) === cadenceIn(data)
    : partition === null;
}

/**
 * A file is data when it is a `.parquet` below its table, and in a folder of its partition, such as `month=YYYY-MM`,
 * where the table is partitioned; folders further down do not matter. A file or folder whose name begins with `_` or
 * `.`, and an empty object that is no `.parquet`, is a leftover of whoever wrote there.
 */
export function lakeFile(owner: string, data: LakeTables, object: { key: string; bytes: number }): LakeFile {
  const { tables } = data;
  const [table = '', ...inside] = object.key.slice(objectKeys.lake(owner).length).split('/');
  const name = inside.at(-1);
  if ([table, ...inside].some((segment) => /^[_.]/.test(segment))) return { kind: 'leftover' };
  if (object.bytes === 0 && !name?.endsWith('.parquet')) return { kind: 'leftover' };
  const stray = (problem: string): LakeFile => ({ kind: 'stray', problem });
  if (name === undefined) return stray('is outside every table: move it into the folder of a table');
  if (!Object.hasOwn(tables, table))
    return stray(`${table} is not one of the tables ${Object.keys(tables).join(', ')}`);
  if ((tables[table]?.shared === true) !== (owner === sharedOwner))
    return stray(
      owner === sharedOwner
        ? `${table} is not shared`
        : `${table} is shared: its files lie in ${objectKeys.lakeTable(sharedOwner, table)}`,
    );
  if (!name.endsWith('.parquet')) return stray('is not named .parquet, and only such files are read');
  const unreachable = objectKeyProblem(object.key);
  if (unreachable !== undefined) return stray(unreachable);
  if (!tables[table]?.partitioned) return { kind: 'data', table, partition: null };
  const [folder] = inside;
  const cadence = cadenceIn(data);
  const partition = partitionInFolder(folder, cadence);
  if (inside.length > 1 && partition !== undefined) return { kind: 'data', table, partition };
  return stray(
    `${table} is partitioned, and ${inside.length > 1 ? `${JSON.stringify(folder)} is not` : 'there is no'} ` +
      `folder ${cadence}=${cadenceWords[cadence].form}`,
  );
}

export interface StrayFile {
  key: string;
  problem: string;
}

/** A sentence about files that nothing reads, the first few by name; empty where there are none. */
export function describeStrays(strays: readonly StrayFile[]): string {
  if (strays.length === 0) return '';
  const shown = strays.slice(0, 3).map(({ key, problem }) => `${JSON.stringify(key)} (${problem})`);
  const more = strays.length > shown.length ? ` and ${strays.length - shown.length} more` : '';
  return ` Not read: ${shown.join(', ')}${more}.`;
}
