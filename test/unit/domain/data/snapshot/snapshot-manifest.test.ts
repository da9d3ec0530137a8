import { labelOf } from '../../../../../domain/tasks/task-of.js';
import { describe, expect, it } from 'vitest';
import {
  snapshotDigest,
  snapshotManifestSchema,
  type PartitionFile,
} from '../../../../../domain/data/snapshot/snapshot.js';
import { usesOf } from '../../../../../domain/data/snapshot/trained-partitions.js';
import { splitPolicySchema } from '../../../../../domain/data/split-policy.js';
import { knownPartitions } from '../../../../../domain/data/snapshot/known-rows.js';
import { buildManifest } from '../../../../../domain/data/snapshot/snapshot-manifest.js';
import { partitionInputsDigest, shapeDigest } from '../../../../../domain/data/snapshot/snapshot-shape.js';
import definition from '../../../../../models/flight-delay/model.js';

const digest = (letter: string) => letter.repeat(64);
const file = (partition: string, rows: number): PartitionFile => ({
  partition,
  key: `snapshots/flight-delay/files/${digest('a')}.parquet`,
  sha256: digest('a'),
  bytes: 10,
  rows,
  positives: 1,
  inputsSha256: digest('b'),
});

describe('a shape', () => {
  it('has the same digest for the same contract and tables, whatever the descriptions and the window say', () => {
    const described = structuredClone(definition);
    described.data.window = { kind: 'sliding', from: '2013-04', months: 6 };
    labelOf(described.contract).description = 'other words';
    expect(shapeDigest(described)).toBe(shapeDigest(definition));
  });

  it('has another digest when a range, an expression, the order of features, a table or an expectation changes', () => {
    const change = (edit: (copy: typeof definition) => void) => {
      const copy = structuredClone(definition);
      edit(copy);
      return shapeDigest(copy);
    };
    const digests = [
      shapeDigest(definition),
      change(({ contract }) => Object.assign(contract.features.distance ?? {}, { max: 9999 })),
      change(({ contract }) => Object.assign(contract.features.dow ?? {}, { from: 'day' })),
      change(({ contract }) => (contract.features = Object.fromEntries(Object.entries(contract.features).reverse()))),
      change(({ contract }) => (labelOf(contract).from = 'arr_delay > 30')),
      change(({ data }) => data.joins.pop()),
      change(({ data }) => (data.expectations.volumeRatioMax = 3)),
    ];
    expect(new Set(digests).size).toBe(digests.length);
  });

  it('gives the inputs of a partition a digest that knows repetition and not order', () => {
    const [one, two] = [
      { table: 'flights', sha256: digest('1') },
      { table: 'weather', sha256: digest('2') },
    ];
    const of = (...objects: { table: string; sha256: string }[]) =>
      partitionInputsDigest({ shapeSha256: digest('0'), objects });
    expect(of(one, two)).toBe(of(two, one));
    expect(new Set([of(one), of(one, one), of(one, two), of({ ...one, table: 'weather' })]).size).toBe(4);
  });
});

describe('a manifest', () => {
  it('says what was trained and tested on, half-open, and which columns play which role', () => {
    const manifest = buildManifest({
      definition,
      train: [file('2013-01', 26_398), file('2013-02', 23_611)],
      holdout: [file('2013-03', 27_902)],
    });
    expect(snapshotManifestSchema.parse(manifest)).toEqual(manifest);
    expect(manifest).toMatchObject({
      model: 'flight-delay',
      trainedOn: { from: '2013-01', to: '2013-03', rows: 50_009 },
      testedOn: { from: '2013-03', to: '2013-04', rows: 27_902 },
      watermark: '2013-03',
    });
    const role = (wanted: string) =>
      manifest.columns.filter(({ role }) => role === wanted).map(({ name, type }) => `${name} ${type}`);
    expect(role('entity')).toEqual(['time_hour timestamp', 'carrier string', 'flight number']);
    expect(role('eventTime')).toEqual(['time_hour timestamp']);
    expect(role('label')).toEqual(['delayed boolean']);
    expect(role('feature')).toEqual(
      Object.entries(definition.contract.features).map(([name, { type }]) => `${name} ${type}`),
    );
    expect(snapshotDigest(manifest)).toBe(snapshotDigest(structuredClone(manifest)));
  });

  it('is refused without a holdout or with partitions out of order', () => {
    expect(() => buildManifest({ definition, train: [file('2013-01', 1)], holdout: [] })).toThrow(
      'at least one partition in holdout',
    );
    expect(() => buildManifest({ definition, train: [file('2013-02', 1)], holdout: [file('2013-01', 1)] })).toThrow(
      '2013-01 is out of order',
    );
    expect(() => buildManifest({ definition, train: [file('2013-02', 1)], holdout: [file('2013-02', 1)] })).toThrow(
      'out of order',
    );
  });
});

describe('a manifest of divided rows', () => {
  it('has a partition on both sides, keeps the split, and ends with the newest partition of either', () => {
    const divided = { ...definition, data: { ...definition.data, split: share } };
    const sides = {
      train: [file('2013-01', 3), file('2013-02', 2)],
      holdout: [{ ...file('2013-01', 1), sha256: 'e'.repeat(64) }],
    };
    const manifest = buildManifest({ definition: divided, ...sides });
    expect(manifest).toMatchObject({
      split: share,
      watermark: '2013-02',
      trainedOn: { rows: 5 },
      testedOn: { rows: 1 },
    });
    expect(() => buildManifest({ definition: divided, ...sides, train: sides.train.toReversed() })).toThrow(
      'out of order',
    );
    expect(usesOf(manifest).get('2013-01')).toEqual({ use: 'divided', rows: 4 });
    expect(usesOf(manifest).get('2013-02')).toEqual({ use: 'trained', rows: 2 });
  });
});

const share = { kind: 'share', holdoutPct: 20, by: 'random' } as const;

describe('a champion', () => {
  const until = (...months: string[]) => {
    const files = months.map((month) => file(month, 10));
    return buildManifest({ definition, train: files.slice(0, -1), holdout: files.slice(-1) });
  };

  it('knows a holdout that it was trained on, and not one that it was only tested on', () => {
    const champion = until('2013-01', '2013-02', '2013-03');
    expect(knownPartitions({ snapshot: champion }, until('2013-01', '2013-02'))).toEqual(['2013-02']);
    expect(knownPartitions({ snapshot: champion }, until('2013-01', '2013-02', '2013-03'))).toEqual([]);
    expect(knownPartitions({ snapshot: champion }, until('2013-01', '2013-02', '2013-03', '2013-04'))).toEqual([]);
  });

  it('knows a file that it was trained on, though it was tested on it too', () => {
    const snapshot = { ...until('2013-01', '2013-02'), train: [file('2013-02', 1)] };
    expect(knownPartitions({ snapshot }, snapshot)).toEqual(['2013-02']);
  });

  it('knows the holdout that it was fitted on once more', () => {
    const snapshot = until('2013-01', '2013-02', '2013-03');
    expect(knownPartitions({ snapshot, refitted: true }, until('2013-02', '2013-03'))).toEqual(['2013-03']);
  });

  it('knows rows of a partition that another split divided, unless a row always comes to one side', () => {
    const divided = (split: object, part: string, ...months: string[]) => ({
      ...until(...months, '2013-09'),
      train: months.map((month) => ({ ...file(month, 8), sha256: `train-${month}-${part}` })),
      holdout: months.map((month) => ({ ...file(month, 2), sha256: `test-${month}-${part}` })),
      split: splitPolicySchema.parse(split),
    });
    const asked = (one: object, other: object, part = 'b') =>
      knownPartitions(
        { snapshot: divided(one, 'a', '2013-01', '2013-02') },
        divided(other, part, '2013-02', '2013-03'),
      );
    expect(asked(share, share)).toEqual([]);
    expect(asked(share, { ...share, seed: 1 })).toEqual(['2013-02']);
    expect(asked({ ...share, stratify: true }, { ...share, stratify: true })).toEqual(['2013-02']);
    expect(asked({ ...share, by: 'time' }, { ...share, by: 'time' })).toEqual(['2013-02']);
    // The same file held out by both.
    expect(asked({ ...share, by: 'time' }, { ...share, by: 'time' }, 'a')).toEqual([]);
    const folds = { kind: 'folds', folds: 3, by: 'random' };
    expect(asked(folds, folds, 'a')).toEqual(['2013-02']);
  });

  it('of another cadence knows the times that it was trained on, and static data wherever it comes from', () => {
    const of = (...names: string[]) => ({
      ...until('2013-01', '2013-02'),
      train: names.slice(0, -1).map((name) => file(name, 1)),
      holdout: names.slice(-1).map((name) => file(name, 1)),
    });
    const known = (train: string, heldOut: string) =>
      knownPartitions({ snapshot: of(train, '2013-12') }, of('2013-01', heldOut));
    expect(known('2013-03', '2013-03-15')).toEqual(['2013-03-15']);
    expect(known('2013-03-15', '2013-03')).toEqual(['2013-03']);
    expect(known('2013-03', '2013-04-05')).toEqual([]);
    expect(known('all', '2013-04')).toEqual(['2013-04']);
  });
});
