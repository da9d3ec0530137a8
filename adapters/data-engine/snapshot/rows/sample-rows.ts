import { z } from 'zod';
import type { Contract } from '../../../../domain/data/contract.js';
import type { DuckSession } from '../../duck-session.js';
import { parquetTable, quoteName } from '../../quote-sql.js';
import { writeRows, type WrittenRows } from './write-rows.js';

export interface SampledFile extends WrittenRows {
  rows: number;
}

const candidates = quoteName('table:candidates:');
const chosen = quoteName('table:chosen:');
const countSchema = z.object({ file: z.coerce.number(), rows: z.coerce.number() });

/**
 * So many rows of a window's shaped files, or all where there are fewer: those whose entity has the smallest hash with
 * the seed, whatever the order of rows. All rows of an entity are in or out, but for the last one.
 * @param session with one thread, which may read the files and write below `folder`
 * @returns one entry for each file, those without a chosen row too
 */
export async function sampleRows(
  session: DuckSession,
  { files, rows, seed, contract, folder }: SampleQuestion,
): Promise<SampledFile[]> {
  await session.run(`CREATE TABLE ${candidates} (file INTEGER, position BIGINT, chance UBIGINT, event TIMESTAMP)`);
  for (const [index, file] of files.entries())
    await session.run(
      `INSERT INTO ${candidates} SELECT ${index}, position, chance, event FROM (SELECT row_number() OVER () AS ` +
        `position, ${chanceOf(contract, seed)} AS chance, ${quoteName(contract.eventTime)} AS event ` +
        `FROM ${parquetTable(file)}) ORDER BY chance, event, position LIMIT ${rows}`,
    );
  await session.run(
    `CREATE TABLE ${chosen} AS SELECT file, position FROM ${candidates} ` +
      `ORDER BY chance, event, file, position LIMIT ${rows}`,
  );
  const counts = await session.rows(`SELECT file, count(*) AS rows FROM ${chosen} GROUP BY file`, countSchema);
  const sampled: SampledFile[] = [];
  for (const [index, file] of files.entries()) {
    const positions = `SELECT position FROM ${chosen} WHERE file = ${index}`;
    const written = await writeRows(session, { file, positions, contract, folder });
    sampled.push({ ...written, rows: counts.find((one) => one.file === index)?.rows ?? 0 });
  }
  return sampled;
}

interface SampleQuestion {
  files: readonly string[];
  rows: number;
  seed: number;
  contract: Contract;
  folder: string;
}

/** Of MD5, which no release of the engine changes; of other words than a split's, so that these go apart. */
const chanceOf = ({ entity }: Contract, seed: number): string =>
  `md5_number_upper(concat_ws(chr(31), 'sample', '${seed}', ` +
  `${entity.map((name) => `coalesce(CAST(${quoteName(name)} AS VARCHAR), '')`).join(', ')}))`;
