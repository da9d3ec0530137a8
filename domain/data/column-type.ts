import { z } from 'zod';

const elementTypes = ['integer', 'number', 'string', 'timestamp', 'boolean'] as const;
export type ElementType = (typeof elementTypes)[number];
export const columnTypeSchema = z.enum([
  ...elementTypes,
  'integer[]',
  'number[]',
  'string[]',
  'timestamp[]',
  'boolean[]',
]);
export type ColumnType = z.infer<typeof columnTypeSchema>;

/** What a list holds; undefined for what is no list. */
export const elementOf = (type: ColumnType): ElementType | undefined =>
  type.endsWith('[]') ? (type.slice(0, -2) as ElementType) : undefined;
