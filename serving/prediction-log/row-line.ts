import { z } from 'zod';
import {
  typeLetters,
  typeOfLetter,
  type LoggedFeatures,
  type LoggedType,
} from '../../domain/serving/logged-features.js';
import type { OverrideCause } from '../../domain/serving/prediction-log-columns.js';
import type { ServingRole } from '../../domain/serving/serving-window.js';
import type { Rows } from '../../inference/compiled-contract.js';

/**
 * A single row as a line of the spool. What rows of one version have in common, names of features first of all, stands
 * in a line of its own before them, once a segment: the context. A row names it and lists values only.
 */

/** How every context begins; no other line does. */
export const contextMark = '{"context":';

export interface RowContext {
  key: string;
  line: string;
}

export interface SharedByRows {
  environment: string;
  model: string;
  version: number;
  role: ServingRole;
  cause: OverrideCause | undefined;
}

type NamedFeatures = readonly { name: string; type: LoggedType }[];

/** By the features of a loaded version; made with the first row. */
const contexts = new WeakMap<NamedFeatures, Map<string, RowContext>>();

export function contextOf(features: NamedFeatures, shared: SharedByRows): RowContext {
  const { environment, model, version, role, cause } = shared;
  let known = contexts.get(features);
  if (known === undefined) contexts.set(features, (known = new Map()));
  const about = `${version}/${cause ?? role}`;
  let context = known.get(about);
  if (context === undefined) {
    const members = { context: about, environment, model, version, role, chosen_by: cause ?? null };
    const named = { features: features.map(({ name }) => name), types: typeLetters(features) };
    known.set(about, (context = { key: about, line: JSON.stringify({ ...members, ...named }) }));
  }
  return context;
}

/** Numbers stand in one list, texts in the other, each in the order of the features; null where one is missing. */
export function valuesText(features: NamedFeatures, { columns }: Rows): string {
  let numbers = '';
  let texts = '';
  for (let index = 0; index < features.length; index += 1) {
    const value = columns[index]?.[0];
    if (features[index]?.type === 'number') numbers += `,${numberText(value)}`;
    else texts += value === undefined || value === '' ? ',null' : `,${JSON.stringify(value)}`;
  }
  return `"n":[${numbers.slice(1)}],"s":[${texts.slice(1)}]`;
}

const numberText = (value: number | string | undefined): string =>
  typeof value === 'number' && !Number.isNaN(value) ? String(value) : 'null';

const contextSchema = z.object({
  context: z.string(),
  environment: z.string(),
  model: z.string(),
  version: z.number().int(),
  role: z.string(),
  chosen_by: z.string().nullable(),
  features: z.array(z.string()),
  types: z.string(),
});

export type ParsedContext = Omit<z.infer<typeof contextSchema>, 'features' | 'types'> & { features: LoggedFeatures };

/** Undefined for a line that is torn. */
export function parseContext(line: string): ParsedContext | undefined {
  const parsed = contextSchema.safeParse(parsedJson(line));
  if (!parsed.success) return undefined;
  const { features, types, ...rest } = parsed.data;
  return {
    ...rest,
    features: new Map(features.map((name, index) => [name, typeOfLetter(types[index] ?? '') ?? null])),
  };
}

const rowSchema = z.looseObject({
  context: z.string(),
  n: z.array(z.number().nullable()),
  s: z.array(z.string().nullable()),
});

/** A row as the log holds it, its features by name. Undefined for a line that is torn or whose context is missing. */
export function readRow(line: string, known: ReadonlyMap<string, ParsedContext>): Record<string, unknown> | undefined {
  const parsed = rowSchema.safeParse(parsedJson(line));
  const context = parsed.success ? known.get(parsed.data.context) : undefined;
  if (!parsed.success || context === undefined) return undefined;
  const { n, s, context: _key, ...row } = parsed.data;
  const { context: _same, features: types, ...shared } = context;
  let number = 0;
  let text = 0;
  const features = [...types].map(([name, type]) => [name, (type === 'number' ? n[number++] : s[text++]) ?? null]);
  return { ...shared, row: 0, ...row, features: Object.fromEntries(features) };
}

function parsedJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
