import { z } from 'zod';
import type { ValueType } from '../data/feature/feature-value.js';

/**
 * Features in the prediction log: a typed column each, named after the feature and its type (`temp:number`). A feature
 * that another version of the contract types differently has another column, so that objects of both are read together.
 * A column is null where the value was missing, and where the row's version has no such feature: the object's metadata
 * says which features each version has.
 */
export const loggedTypes = {
  number: 'FLOAT',
  integer: 'BIGINT',
  boolean: 'BOOLEAN',
  string: 'VARCHAR',
  timestamp: 'TIMESTAMP',
  text: 'VARCHAR',
  vector: 'FLOAT[]',
  'number[]': 'FLOAT[]',
  'integer[]': 'BIGINT[]',
  'boolean[]': 'BOOLEAN[]',
  'string[]': 'VARCHAR[]',
  'timestamp[]': 'TIMESTAMP[]',
  'text[]': 'VARCHAR[]',
} as const satisfies Record<ValueType, string>;
export type LoggedType = ValueType;

/** Those of one value a row, which an expression may read. */
export const scalarTypes = ['number', 'integer', 'boolean', 'string', 'timestamp', 'text'] as const;

/** How spool lines write a type: one letter a feature. */
const letters = {
  ...{ n: 'number', i: 'integer', b: 'boolean', s: 'string', t: 'timestamp', x: 'text', v: 'vector' },
  ...{ N: 'number[]', I: 'integer[]', B: 'boolean[]', S: 'string[]', T: 'timestamp[]', X: 'text[]' },
} as const satisfies Record<string, LoggedType>;
export type TypeLetter = keyof typeof letters;

/** The type is null where no value of the feature has told it. */
export type LoggedFeatures = ReadonlyMap<string, LoggedType | null>;

export const featureColumn = (name: string, type: LoggedType): string => `${name}:${type}`;

/** Undefined for what is no letter of a type. */
export function typeOfLetter(letter: string): LoggedType | undefined {
  return Object.hasOwn(letters, letter) ? letters[letter as TypeLetter] : undefined;
}

const letterOf = Object.fromEntries(Object.entries(letters).map(([letter, type]) => [type, letter])) as Record<
  LoggedType,
  TypeLetter
>;

export const typeLetters = (features: readonly { type: LoggedType }[]): string =>
  features.map(({ type }) => letterOf[type]).join('');

/** The features of each version in an object, as its metadata holds them under `featuresKey`. */
export const featuresKey = 'perdure_features';
export type FeaturesByVersion = ReadonlyMap<number, LoggedFeatures>;

const featuresSchema = z.record(z.string(), z.record(z.string(), z.enum(Object.values(letters)).nullable()));

export function featuresText(features: FeaturesByVersion): string {
  return JSON.stringify(Object.fromEntries([...features].map(([version, own]) => [version, Object.fromEntries(own)])));
}

/** What several say together; a type that one of them knows is known. */
export function joinFeatures(all: readonly FeaturesByVersion[]): FeaturesByVersion {
  const joined = new Map<number, Map<string, LoggedType | null>>();
  for (const [version, features] of all.flatMap((one) => [...one])) {
    const known = joined.get(version) ?? new Map<string, LoggedType | null>();
    joined.set(version, known);
    for (const [name, type] of features) known.set(name, known.get(name) ?? type);
  }
  return joined;
}

export function parseFeatures(text: string): FeaturesByVersion {
  const versions = Object.entries(featuresSchema.parse(JSON.parse(text)));
  return new Map(versions.map(([version, features]) => [Number(version), new Map(Object.entries(features))]));
}

/** The feature's type by a value of a line that does not say it. */
export function typeOfValue(value: unknown): LoggedType | null {
  if (typeof value === 'number') return 'number';
  if (typeof value === 'string') return 'string';
  return typeof value === 'boolean' ? 'boolean' : null;
}
