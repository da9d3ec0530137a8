import { z } from 'zod';

/** Part of a list, the newest first where the list is of what happened. */
export interface ListPage<Item> {
  items: Item[];
  /** What to give as `after` to go on; null at the end. */
  next: string | null;
}

/** Which part of a list: how many items at most, and after which place, as the `next` of the page before said it. */
export interface PageQuery {
  limit?: number | undefined;
  after?: string | undefined;
}

/**
 * A list of the API: `{"items": [...], "next": CURSOR | null}`. The items stand under the list's own name as well,
 * where clients of 0.1 look for them.
 */
export function listSchema<Name extends string, Item extends z.ZodType>(name: Name, item: Item) {
  const items = z.array(item);
  const shape = { items, next: z.string().nullable().describe('pass it as `after` to continue; null at the end') };
  return z.object({
    ...shape,
    [name]: items.meta({ deprecated: true, description: 'the same as `items`' }),
  } as typeof shape & Record<Name, typeof items>);
}

/** What `listSchema` describes. */
export function listReply<Name extends string, Row, Item>(
  name: Name,
  { items: rows, next }: ListPage<Row>,
  view: (row: Row) => Item,
) {
  const items = rows.map(view);
  return { items, next, [name]: items } as ListPage<Item> & Record<Name, Item[]>;
}
