import { and, asc, desc, sql, type SQL } from 'drizzle-orm';
import type { PgColumn } from 'drizzle-orm/pg-core';
import { z } from 'zod';
import { PerdureError } from '../domain/errors.js';

export interface PageRequest {
  /** How many rows at most. */
  limit: number;
  /** Where the page before ended, as its `next` said; absent for the first page. */
  after?: string | undefined;
}

export interface Page<Row> {
  items: Row[];
  /** What to give as `after` to go on; null at the end of the list. */
  next: string | null;
}

/**
 * The order of a list, by columns that are unique together and that an index begins with: any page then costs the same,
 * whatever lies before it.
 */
export interface PageOrder {
  /** Selected with each row, as `key`: where a page may end. */
  key: SQL<unknown>;
  orderBy: SQL[];
  /** The rows after a place. @throws PerdureError `input/invalid` for what is no place of this list. */
  after(cursor: string | undefined): SQL | undefined;
}

export const newestFirst = (...columns: PgColumn[]): PageOrder => pageOrder(columns, desc, sql`<`);
export const smallestFirst = (...columns: PgColumn[]): PageOrder => pageOrder(columns, asc, sql`>`);

function pageOrder(columns: readonly PgColumn[], direction: (column: PgColumn) => SQL, beyond: SQL): PageOrder {
  const list = (parts: readonly unknown[]) =>
    sql.join(
      parts.map((part) => sql`${part}`),
      sql`, `,
    );
  return {
    // As JSON a time keeps its microseconds, which a Date would lose: rows of one millisecond would come twice or
    // never.
    key: sql`jsonb_build_array(${list(columns)})`,
    orderBy: columns.map(direction),
    after: (cursor) => {
      if (cursor === undefined) return undefined;
      const values = readCursor(
        cursor,
        columns.map(({ dataType }) => dataType),
      );
      const typed = columns.map((column, at) => sql`${values[at]}::text::${sql.raw(column.getSQLType())}`);
      return sql`(${list(columns)}) ${beyond} (${list(typed)})`;
    },
  };
}

/** Cuts what was read with one row more than the limit. */
export function toPage<Row extends { key: unknown }>(rows: readonly Row[], limit: number): Page<Omit<Row, 'key'>> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(({ key: _, ...row }) => row),
    next: last && rows.length > limit ? Buffer.from(JSON.stringify(last.key)).toString('base64url') : null,
  };
}

/** A page of a list that is in memory, by names that are unique in it. */
export function pageByName<Item extends { name: string }>(
  items: readonly Item[],
  { limit, after }: PageRequest,
): Page<Item> {
  const [last] = after === undefined ? [undefined] : readCursor(after, ['string']);
  const rows = items
    .filter(({ name }) => last === undefined || name > last)
    .toSorted((left, right) => (left.name < right.name ? -1 : 1))
    .slice(0, limit + 1)
    .map((item) => ({ item, key: [item.name] }));
  const { items: shown, next } = toPage(rows, limit);
  return { items: shown.map(({ item }) => item), next };
}

/** Page after page until the end, for what needs every row of a list that is bounded by something else than time. */
export async function allPages<Row>(read: (after: string | undefined) => Promise<Page<Row>>): Promise<Row[]> {
  const rows: Row[] = [];
  for (let after: string | undefined; ;) {
    const page = await read(after);
    rows.push(...page.items);
    if (page.next === null) return rows;
    after = page.next;
  }
}

/** Both, where there is a second. */
export const within = (filter: SQL | undefined, place: SQL | undefined): SQL | undefined => and(filter, place);

type DataType = PgColumn['dataType'];
const partSchemas: Partial<Record<DataType, z.ZodType<string>>> = {
  number: z.number().int().transform(String),
  date: z.iso.datetime({ offset: true }),
  string: z.string(),
};

function readCursor(cursor: string, types: readonly DataType[]): string[] {
  const parts = z.array(z.unknown()).length(types.length).safeParse(parseJson(cursor)).data;
  const read = types.map((type, at) => (partSchemas[type] ?? z.string()).safeParse(parts?.[at]).data);
  if (parts && read.every((part) => part !== undefined)) return read;
  throw new PerdureError(
    'input/invalid',
    `after: ${JSON.stringify(cursor.slice(0, 100))} is not a position in this list. ` +
      'Use the `next` of the previous page, ' +
      'or omit it for the first page.',
  );
}

function parseJson(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}
