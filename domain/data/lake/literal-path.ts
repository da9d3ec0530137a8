/**
 * The path of one file, written so that DuckDB reads that file and no other: it takes `*`, `?` and `[…]` in the path of
 * a file to read for a pattern, and knows no switch against that. For reading only; a path to write to is taken as it
 * is.
 */
export const literalPath = (file: string): string => file.replaceAll(/[*?[]/g, (sign) => `[${sign}]`);
