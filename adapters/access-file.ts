import { readFile } from 'node:fs/promises';
import { accessSchema, type Access } from '../domain/promotion/access.js';
import { PerdureError } from '../domain/errors.js';
import { describeIssues } from '../domain/schema-issue.js';

/**
 * Reads who has which role; read at each decision, so that an edit counts at once.
 * @throws PerdureError `environment/broken`.
 */
export async function readAccessFile(path: string): Promise<Access> {
  const broken = (why: string) =>
    new PerdureError(
      'environment/broken',
      `The access file ${path} ${why}. It maps roles to actors: see docs/operations.md.`,
    );
  const text = await readFile(path, 'utf8').catch(() => {
    throw broken('cannot be read');
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw broken('is not JSON');
  }
  const parsed = accessSchema.safeParse(value);
  if (!parsed.success) throw broken(`is not valid: ${describeIssues(parsed.error.issues)}`);
  return parsed.data;
}
