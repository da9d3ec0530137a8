import type { Command } from 'commander';
import type { ListPage, PageQuery } from '../client/http/page.js';
import type { Output } from './output.js';
import { parseCount } from './parse/options.js';

export interface PageOptions {
  limit: number;
  after?: string;
}

/** `--limit` and `--after`, the same for every list. */
export function addPageOptions(command: Command): Command {
  return command
    .option('--limit <n>', 'at most N items', parseCount, 20)
    .option('--after <cursor>', 'continue after the page that ended with this `next`');
}

export const pageQuery = ({ limit, after }: PageOptions): PageQuery => ({ limit, after });

/**
 * One page of a list: as JSON `{"items": [...], "next": CURSOR | null}`; for people what `text` makes of it, and how to
 * see more.
 */
export function showPage<Item>(output: Output, page: ListPage<Item>, text: (items: readonly Item[]) => string): void {
  output.result({ items: page.items, next: page.next }, () => text(page.items));
  if (page.next !== null) output.hint(`There are more: add --after ${page.next}, or raise --limit.`);
}
