import type { z } from 'zod';
import { PerdureError } from '../domain/errors.js';
import type { SchemaIssue } from '../domain/schema-issue.js';
import { describeIssues } from '../domain/schema-issue.js';

/**
 * The input of a workflow as its schema reads it.
 * @throws PerdureError `input/invalid` that names each field, and shows a valid input.
 */
export function parseInput<Schema extends z.ZodType>(
  schema: Schema,
  input: unknown,
  workflow: string,
  example: Record<string, unknown>,
): z.output<Schema> {
  const parsed = schema.safeParse(input ?? {});
  if (parsed.success) return parsed.data;
  const issues: SchemaIssue[] = parsed.error.issues;
  throw new PerdureError(
    'input/invalid',
    `The input of ${workflow} is not valid: ${describeIssues(issues)}. A valid one: ${JSON.stringify(example)}`,
  );
}
