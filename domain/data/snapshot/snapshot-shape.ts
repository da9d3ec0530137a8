import { digestOf } from '../../canonical-json.js';
import type { Contract, Feature } from '../contract.js';
import { valueTypeOf } from '../feature/feature-value.js';
import { dropMaxPctIn, type ColumnType, type DataPolicy } from '../data-policy.js';
import { timeZoneIn } from '../../calendar/partition-bounds.js';
import { dataSources } from '../source-tables.js';
import type { SnapshotManifest } from './snapshot.js';

/** The part of a definition that says what rows look like. */
export interface ShapeDefinition {
  contract: Contract;
  data: DataPolicy;
}

/** Raise it when the same inputs give other bytes, so that files of an older version are made anew. */
const SHAPE_VERSION = 2;

/**
 * SHA-256 of everything in a definition that decides what a partition's file holds and whether it is valid: tables,
 * joins, contract, expectations and, where it is declared, the cadence with its zone. Descriptions and the window are
 * left out: they change no file.
 */
export function shapeDigest({ contract, data }: ShapeDefinition): string {
  const features = Object.entries(contract.features).map(([name, feature]) => ({ name, ...rowRules(feature) }));
  const label = contract.label && withoutDescription(contract.label);
  const { base, joins, expectations, cadence } = data;
  const tables = Object.fromEntries(Object.entries(data.tables).map(([name, table]) => [name, withoutPlace(table)]));
  const dropMaxPct = dropMaxPctIn(data);
  return digestOf({
    shapeVersion: SHAPE_VERSION,
    contract: { entity: contract.entity, eventTime: contract.eventTime, label, features },
    data: {
      tables,
      base,
      joins,
      expectations,
      ...(cadence && { cadence, timeZone: timeZoneIn(data) }),
      ...(dropMaxPct > 0 && { dropMaxPct }),
    },
  });
}

/** A default is for requests: it changes no row. */
function rowRules(feature: Feature) {
  const copy = withoutDescription(feature);
  delete copy.default;
  return copy;
}

/** Where a table lies changes no row. */
function withoutPlace(table: DataPolicy['tables'][string]) {
  const copy = { ...table };
  delete copy.shared;
  return copy;
}

function withoutDescription<T extends { description?: string | undefined }>(described: T): Omit<T, 'description'> {
  const copy = { ...described };
  delete copy.description;
  return copy;
}

/**
 * SHA-256 of what one partition is made from. The order of `objects` does not matter; an object that is there twice
 * does.
 */
export function partitionInputsDigest(inputs: {
  shapeSha256: string;
  objects: readonly { table: string; sha256: string }[];
}): string {
  const objects = inputs.objects.map(({ table, sha256 }) => `${table}/${sha256}`).sort();
  return digestOf({ shapeSha256: inputs.shapeSha256, objects });
}

const manifestTypes = {
  integer: 'number',
  number: 'number',
  string: 'string',
  timestamp: 'timestamp',
  boolean: 'boolean',
  'integer[]': 'integer[]',
  'number[]': 'number[]',
  'string[]': 'string[]',
  'timestamp[]': 'timestamp[]',
  'boolean[]': 'boolean[]',
} as const satisfies Record<ColumnType, string>;

/**
 * The declared type of a column that is named bare: the base's column wins, then the first joined table that has it.
 */
export function declaredType(data: DataPolicy, column: string): ColumnType | undefined {
  return dataSources(data).find(({ columns }) => Object.hasOwn(columns, column))?.columns[column];
}

/**
 * The manifest's column list: entity, event time, features in contract order, label. A column in two roles stands there
 * twice.
 */
export function manifestColumns({ contract, data }: ShapeDefinition): SnapshotManifest['columns'] {
  const typeOf = (name: string) => {
    const feature = contract.features[name];
    return feature === undefined ? manifestTypes[declaredType(data, name) ?? 'string'] : valueTypeOf(feature);
  };
  return [
    ...contract.entity.map((name) => ({ name, type: typeOf(name), role: 'entity' as const })),
    { name: contract.eventTime, type: 'timestamp', role: 'eventTime' },
    ...Object.entries(contract.features).map(([name, feature]) => ({
      name,
      type: valueTypeOf(feature),
      role: 'feature' as const,
    })),
    ...(contract.label === undefined
      ? []
      : [{ name: contract.label.name, type: manifestTypes[contract.label.type], role: 'label' as const }]),
  ];
}
