import { describe, expect, it } from 'vitest';
import { contractSchema } from '../../../../../domain/data/contract.js';
import type { ColumnProfile } from '../../../../../domain/data/snapshot/snapshot.js';
import type { PartitionSummary } from '../../../../../domain/data/snapshot/snapshot-summary.js';
import { checkExpectations } from '../../../../../domain/data/validation/validation-expectations.js';
import { newLevelNotes } from '../../../../../domain/data/validation/validation-levels.js';

const expectations = { volumeRatioMin: 0.5, volumeRatioMax: 2, nullShareRiseMaxPct: 20, labelRateChangeMaxPct: 10 };
const numbers = (nulls: number): ColumnProfile => ({
  name: 'size',
  type: 'number',
  nulls,
  distinct: 1,
  mean: 1,
  min: 1,
  max: 1,
  deciles: [],
  topLevels: [],
});
const levels = (...names: string[]): ColumnProfile => ({
  ...numbers(0),
  name: 'town',
  type: 'string',
  distinct: names.length,
  topLevels: names.map((level, index) => ({ level, rows: names.length - index })),
});
const summary = (rows: number, positives: number, ...profile: ColumnProfile[]): PartitionSummary => ({
  partition: '2024-01',
  rows,
  positives,
  profile,
});
const rules = (current: PartitionSummary, ...previous: PartitionSummary[]) =>
  checkExpectations({ expectations, current, previous }).map(({ rule }) => rule);

describe('expectations', () => {
  it('hold at their limits and fail beyond them', () => {
    expect(rules(summary(50, 10), summary(100, 20))).toEqual([]);
    expect(rules(summary(49, 10), summary(100, 20))).toEqual(['volume']);
    expect(rules(summary(200, 40), summary(100, 20))).toEqual([]);
    expect(rules(summary(201, 40), summary(100, 20))).toEqual(['volume']);
    expect(rules(summary(100, 30), summary(100, 20))).toEqual([]);
    expect(rules(summary(100, 31), summary(100, 20))).toEqual(['label-rate']);
    expect(rules(summary(100, 9), summary(100, 20))).toEqual(['label-rate']);
    expect(rules(summary(100, 20, numbers(25)), summary(100, 20, numbers(5)))).toEqual([]);
    expect(rules(summary(100, 20, numbers(26)), summary(100, 20, numbers(5)))).toEqual(['null-share']);
    expect(rules(summary(100, 20, numbers(0)), summary(100, 20, numbers(100)))).toEqual([]);
  });

  it('compare rows with the mean of earlier partitions, and shares with their rows together', () => {
    const earlier = [summary(100, 10), summary(300, 90)];
    // Mean 200 rows; 100 of 400 labels are positive.
    expect(rules(summary(100, 35), ...earlier)).toEqual([]);
    expect(rules(summary(99, 25), ...earlier)).toEqual(['volume']);
    expect(rules(summary(200, 29), ...earlier)).toEqual(['label-rate']);
  });

  it('expect nothing of a first partition, and nothing of a feature that earlier ones did not have', () => {
    expect(rules(summary(1, 1))).toEqual([]);
    expect(rules(summary(100, 20, numbers(100)), summary(100, 20))).toEqual([]);
  });
});

describe('new levels', () => {
  const contract = (feature: Record<string, unknown> = {}) =>
    contractSchema.parse({
      entity: ['id'],
      eventTime: 'at',
      label: { name: 'y', type: 'boolean' },
      features: { town: { type: 'string', ...feature } },
    });
  const notes = (current: ColumnProfile, earlier: ColumnProfile[], feature?: Record<string, unknown>) =>
    newLevelNotes({
      contract: contract(feature),
      current: summary(10, 1, current),
      previous: earlier.map((profile) => summary(10, 1, profile)),
    });

  it('are those that no earlier partition and no list in the contract has', () => {
    expect(notes(levels('a', 'b', 'c'), [levels('a'), levels('b')])).toEqual(['town has 1 new level: c (1 rows).']);
    expect(notes(levels('a', 'b'), [levels('a')], { levels: ['b'] })).toEqual([]);
    expect(notes(levels('a', 'b'), [], { levels: ['b'] })).toEqual(['town has 1 new level: a (2 rows).']);
  });

  it('are not claimed where they cannot be known', () => {
    expect(notes(levels('a'), [])).toEqual([]);
    expect(notes(levels('a', 'b'), [{ ...levels('a'), distinct: 600 }])).toEqual([]);
    expect(notes(levels('z'), [levels('a')], { levels: ['a'], closed: true })).toEqual([]);
  });
});
