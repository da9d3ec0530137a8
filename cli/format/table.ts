import Table from 'cli-table3';
import type { Output } from '../output.js';

/** Rows under a head, with no frame around them: easy to read, and to cut with other tools. */
export function table(
  output: Output,
  head: readonly string[],
  rows: readonly (readonly (string | number | null)[])[],
): string {
  const none = '';
  const chars = {
    top: none,
    'top-mid': none,
    'top-left': none,
    'top-right': none,
    bottom: none,
    'bottom-mid': none,
    'bottom-left': none,
    'bottom-right': none,
  };
  const inner = {
    left: none,
    'left-mid': none,
    mid: none,
    'mid-mid': none,
    right: none,
    'right-mid': none,
    middle: '  ',
  };
  const drawn = new Table({
    head: head.map((name) => output.colours.bold(name)),
    chars: { ...chars, ...inner },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  for (const row of rows) drawn.push(row.map((cell) => (cell === null ? '–' : String(cell))));
  return drawn
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

/** Names and values, one a line, values under one another. */
export function fields(pairs: readonly (readonly [string, string | number | null])[]): string {
  const width = Math.max(...pairs.map(([name]) => name.length));
  return pairs.map(([name, value]) => `${name.padEnd(width)}  ${value ?? '–'}`).join('\n');
}
