import type { DuckDBValue } from '@duckdb/node-api';
import { z } from 'zod';
import type { AppendedColumn } from './append-columns.js';
import type { DuckSessionOptions } from './duck-session.js';

/** What an engine process is asked, each answered with the same id. `session` is one that was opened before. */
export type EngineOrder = { id: number } & (
  | { kind: 'open'; options: Omit<DuckSessionOptions, 'signal'> }
  | { kind: 'run' | 'rows'; session: number; sql: string; parameters: DuckDBValue[] | undefined }
  | { kind: 'append'; session: number; table: string; columns: readonly AppendedColumn[] }
  | { kind: 'close'; session: number }
);

/** What it answers. A session's number is the id of the order that opened it. */
export const engineAnswerSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('ready') }),
  z.strictObject({ kind: z.literal('done'), id: z.number(), rows: z.array(z.unknown()) }),
  z.strictObject({ kind: z.literal('failed'), id: z.number(), code: z.string().nullable(), message: z.string() }),
]);
export type EngineAnswer = z.infer<typeof engineAnswerSchema>;

/** What the process writes last to stderr, before it ends itself. */
export const memoryWord = 'PERDURE-ENGINE-MEMORY';
