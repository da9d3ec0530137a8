import { readFile } from 'node:fs/promises';
import { PerdureError } from '../domain/errors.js';
import { floorsSchema, type Floors, type FloorsInput } from '../domain/promotion/floor.js';
import { describeIssues } from '../domain/schema-issue.js';

/** Where the floors of environments stand: in the configuration, or in a file that takes its place. */
export interface FloorsSource {
  /** Of every environment that there is. */
  configured: FloorsInput;
  /** Absolute path; undefined where none is named. */
  file: string | undefined;
}

/**
 * Reads what environments ask of every definition; read at each decision, so that an edit counts at once.
 * @throws PerdureError `environment/broken`.
 */
export async function readFloors({ configured, file }: FloorsSource): Promise<Floors> {
  const broken = (why: string) =>
    new PerdureError(
      'environment/broken',
      `The floors of environments in ${file ?? 'perdure.config.ts'} ${why}. See docs/operations.md.`,
    );
  let value: unknown = configured;
  if (file !== undefined) {
    const text = await readFile(file, 'utf8').catch(() => {
      throw broken('cannot be read');
    });
    try {
      value = JSON.parse(text);
    } catch {
      throw broken('are not JSON');
    }
  }
  const parsed = floorsSchema.safeParse(value);
  if (!parsed.success) throw broken(`are not valid: ${describeIssues(parsed.error.issues)}`);
  const unknown = Object.keys(parsed.data).find((environment) => !Object.hasOwn(configured, environment));
  if (unknown !== undefined)
    throw broken(`name ${unknown}, which is no environment: there are ${Object.keys(configured).join(', ')}`);
  return parsed.data;
}
