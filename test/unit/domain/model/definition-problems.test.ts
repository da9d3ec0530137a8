import { describe, expect, it } from 'vitest';
import { parseModelDefinition } from '../../../../domain/model/parse-definition.js';
import { definitionDigest, readDefinition } from '../../../../domain/model/model-definition.js';
import { shapeDigest } from '../../../../domain/data/snapshot/snapshot-shape.js';
import flightDelay from '../../../../models/flight-delay/model.js';
import repeatPurchase from '../../../../models/repeat-purchase/model.js';

describe('definitions from one release to the next', () => {
  // As version 0.1.0 computed them. They change only when somebody edits the model, never because the product learned a
  // field.
  it('the digest of a definition that nobody touched stays', () => {
    expect([flightDelay, repeatPurchase].map(definitionDigest)).toEqual([
      'db626db7d766d2f86b4307da76d0809469074cd37a1d7786853ea4d6d65821f0',
      'b844679b1c563bf6314c7c86a5f381e8645a4eec02e675ff439aefb55b8069a5',
    ]);
  });

  it('a name that JavaScript keeps for itself is refused when applied; a stored definition that has it is read still', () => {
    const { contract } = flightDelay;
    const odd = {
      ...flightDelay,
      contract: { ...contract, features: { ...contract.features, constructor: { type: 'number' } } },
    };
    expect(() => parseModelDefinition(odd)).toThrow(
      /contract\.features\.constructor: is a reserved name in JavaScript/,
    );
    expect(Object.keys(readDefinition(odd).contract.features)).toContain('constructor');
  });

  const { contract, data, evaluation, rollout } = flightDelay;
  const own = (name: string, value: unknown) => Object.fromEntries([[name, value]]);
  const [base] = Object.values(data.tables);
  const table = { columns: { toString: 'string' } };
  const valueMetric = {
    metric: 'value',
    name: 'constructor',
    from: '1',
    min: 0,
    max: 1,
    direction: 'lower-is-better',
    margin: 0.1,
    harm: 0.5,
  };
  it.each([
    ['contract.entity[1]', { contract: { ...contract, entity: ['flight', 'valueOf'] } }],
    ['contract.eventTime', { contract: { ...contract, eventTime: 'toString' } }],
    ['contract.label.name', { contract: { ...contract, label: { ...contract.label, name: 'hasOwnProperty' } } }],
    [
      'contract.features.__proto__',
      { contract: { ...contract, features: { ...contract.features, ...own('__proto__', { type: 'number' }) } } },
    ],
    ['data.tables.constructor', { data: { ...data, tables: { ...data.tables, constructor: base } } }],
    ['data.tables.__proto__', { data: { ...data, tables: { ...data.tables, ...own('__proto__', base) } } }],
    [
      'data.tables.planes.columns.toString',
      {
        data: {
          ...data,
          tables: {
            ...data.tables,
            planes: { ...data.tables.planes, columns: { ...data.tables.planes?.columns, toString: 'string' } },
          },
        },
      },
    ],
    [
      'data.tables.flights.key[0]',
      { data: { ...data, tables: { ...data.tables, flights: { ...data.tables.flights, key: ['toString'] } } } },
    ],
    [
      'data.joins[0].on[0]',
      { data: { ...data, tables: { ...data.tables, more: table }, joins: [{ table: 'more', on: ['toString'] }] } },
    ],
    [
      'evaluation.slices[0]',
      { evaluation: { ...evaluation, slices: ['valueOf'], gates: evaluation.gates.filter((gate) => !gate.slice) } },
    ],
    [
      'rollout.judge.metrics[1].name',
      { rollout: { ...rollout, judge: { metrics: [{ metric: 'errorShare' }, valueMetric] } } },
    ],
  ])('a name that JavaScript keeps for itself is refused at %s', (place, change) => {
    expect(() => parseModelDefinition({ ...flightDelay, ...change })).toThrow(`${place}: `);
  });

  it.each([
    [{ joins: [{ table: 'toString', on: ['dest'] }] }, 'no table is called toString'],
    [{ base: 'constructor' }, 'is not one of the tables'],
    [{ base: '__proto__' }, 'data.base'],
  ])('a table that only JavaScript knows is no table: %j', (change, message) => {
    expect(() => parseModelDefinition({ ...flightDelay, data: { ...data, ...change } })).toThrow(message);
  });

  it('fields that came later stay absent from a definition of before, wherever it is read', () => {
    for (const definition of [flightDelay, repeatPurchase]) {
      const stored = JSON.parse(JSON.stringify(definition)) as unknown;
      const { contract } = readDefinition(stored);
      expect(contract).not.toHaveProperty('accepts');
      for (const feature of Object.values(contract.features)) expect(feature).not.toHaveProperty('default');
      expect(definitionDigest(readDefinition(stored))).toBe(definitionDigest(definition));
    }
  });

  it('a definition of a newer way of writing is refused with what to do', () => {
    expect(() => readDefinition({ ...flightDelay, schemaVersion: 2 })).toThrow(
      /schemaVersion: is newer than .*\(1\): upgrade Perdure/,
    );
    expect(definitionDigest(parseModelDefinition({ ...flightDelay, schemaVersion: 1 }))).not.toBe(
      definitionDigest(flightDelay),
    );
  });

  it.each([
    ['features.x.default', { type: 'number', min: 0, max: 9, default: 10 }, {}],
    ['features.x.default', { type: 'number', default: 1e39 }, {}],
    ['features.x.default', { type: 'string', maxLength: 2, default: 'red' }, {}],
    ['features.x.default', { type: 'string', default: '' }, {}],
    ['features.x.default', { type: 'string', levels: ['red'], closed: true, default: 'blue' }, {}],
    ['accepts.x', { type: 'number' }, { x: { type: 'number', until: '2026-12-31' } }],
    ['accepts.delayed', { type: 'number' }, { delayed: { type: 'number', until: '2026-12-31' } }],
    ['accepts.constructor', { type: 'number' }, { constructor: { type: 'number', until: '2026-12-31' } }],
  ])('what cannot hold at contract.%s is refused when applied, and read where it is stored', (place, x, accepts) => {
    const odd = {
      ...flightDelay,
      contract: { ...flightDelay.contract, features: { ...flightDelay.contract.features, x }, accepts },
    };
    expect(() => parseModelDefinition(odd)).toThrow(`contract.${place}: `);
    expect(Object.keys(readDefinition(odd).contract.features)).toContain('x');
  });

  it('a default and what is accepted change no row: files of partitions are found again', () => {
    const { contract, data } = flightDelay;
    const features = Object.fromEntries(
      Object.entries(contract.features).map(([name, feature]) => [
        name,
        feature.type === 'number' ? { ...feature, default: feature.min ?? 0 } : feature,
      ]),
    );
    const later = parseModelDefinition({
      ...flightDelay,
      contract: { ...contract, features, accepts: { old: { type: 'string', until: '2026-12-31' } } },
    });
    expect(shapeDigest(later)).toBe(shapeDigest({ contract, data }));
    expect(definitionDigest(later)).not.toBe(definitionDigest(flightDelay));
  });
});
