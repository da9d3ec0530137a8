import { describe, expect, test } from 'vitest';
import {
  changedPartitions,
  describeNewData,
  hasSameRows,
  type LastResult,
  type PartitionNow,
} from '../../../../../domain/data/snapshot/new-data.js';
import { trainedPartitions } from '../../../../../domain/data/snapshot/trained-partitions.js';
import { planWindow } from '../../../../../domain/data/snapshot/snapshot-window.js';

const sha = (digit: string) => digit.repeat(64);
const shapeSha256 = sha('0');
const file = (partition: string, inputs: string) => ({
  ...{ partition, key: '', bytes: 1, rows: 1, positives: 0 },
  ...{ sha256: sha(inputs), inputsSha256: sha(inputs) },
});
/** A result on January (1), February (2) and March (3). */
const last: LastResult = {
  runId: 'run-7',
  startedAt: new Date('2024-04-01T00:00:00Z'),
  manifest: {
    ...{ manifestVersion: 1, model: 'm', shapeSha256, columns: [] },
    train: [file('2024-01', '1'), file('2024-02', '2')],
    holdout: [file('2024-03', '3')],
    trainedOn: { from: '2024-01', to: '2024-03', rows: 2 },
    testedOn: { from: '2024-03', to: '2024-04', rows: 1 },
    watermark: '2024-03',
  },
};
const newest = { table: 'sales', at: '2024-04-02T10:11:12.000Z', actor: 'ada' };
const now = (months: Record<string, string>): PartitionNow[] =>
  Object.entries(months).map(([partition, inputs]) => ({ partition, inputsSha256: sha(inputs), newest }));
const changed = (months: Record<string, string>, shape = shapeSha256) =>
  changedPartitions(last, shape, now(months)).map(({ partition }) => partition);

describe('a partition that the last result used', () => {
  test('is as new as one that has just arrived once its content is another one', () => {
    expect(changed({ '2024-01': '1', '2024-02': '2', '2024-03': '3', '2024-04': '4' })).toEqual([]);
    expect(changed({ '2024-01': '1', '2024-02': '9', '2024-03': '8' })).toEqual(['2024-02', '2024-03']);
  });

  test('is not new because a newer program shapes rows otherwise, nor because it was taken away', () => {
    expect(changed({ '2024-01': '7', '2024-02': '8', '2024-03': '9' }, sha('f'))).toEqual([]);
    expect(changed({ '2024-01': '1', '2024-02': '2' })).toEqual([]);
  });

  test('is told from one before the window, and from one that came late', () => {
    expect(changed({ '2023-12': '5', '2024-01': '1' })).toEqual([]);
    const without = { ...last, manifest: { ...last.manifest, train: [file('2024-01', '1')] } };
    const late = changedPartitions(without, shapeSha256, now({ '2024-02': '2' }));
    expect(describeNewData(last, ['2024-01', '2024-02', '2024-03'], late)).toBe(
      '2024-02 arrived late, on 2024-04-02 10:11 UTC by ada (sales): the last run, run-7, did not use it',
    );
  });

  test('is named with when, by whom and both digests, after what arrived; many are told in one range', () => {
    const corrected = changedPartitions(last, shapeSha256, now({ '2024-02': '9' }));
    expect(describeNewData(last, ['2024-01', '2024-02', '2024-03', '2024-04'], corrected)).toBe(
      '2024-04 arrived; 2024-02 was corrected on 2024-04-02 10:11 UTC by ada (sales): the last run, run-7, used ' +
        '222222222222; it is now 999999999999',
    );
    const many = { ...last, manifest: { ...last.manifest, watermark: '2024-09' } };
    const months = ['2024-01', '2024-02', '2024-03', '2024-04', '2024-05', '2024-06'];
    const all = changedPartitions(many, shapeSha256, now(Object.fromEntries(months.map((month) => [month, 'a']))));
    expect(describeNewData(many, months, all)).toMatch(/^2024-01 was .*; 2024-04 … 2024-06 too$/);
  });

  test('gives nothing to learn when the shaped rows are the same', () => {
    const files = [...last.manifest.train, ...last.manifest.holdout];
    expect(hasSameRows(last, { train: files, holdout: [] })).toBe(true);
    expect(hasSameRows(last, { train: files.slice(0, 2), holdout: [] })).toBe(false);
    const other = { ...file('2024-03', '3'), sha256: sha('a') };
    expect(hasSameRows(last, { train: files.slice(0, 2), holdout: [other] })).toBe(false);
  });
});

describe('a window', () => {
  const plan = (available: string[], question: { watermark: string; changed: string[] }) =>
    planWindow({ window: { kind: 'expanding', from: '2024-01' }, available, ...question });
  const three = ['2024-01', '2024-02', '2024-03'];

  test('is planned for a changed partition below the watermark, and not for one that it does not hold', () => {
    expect(plan(three, { watermark: '2024-03', changed: ['2024-02'] })).toMatchObject({ kind: 'planned' });
    expect(plan(three, { watermark: '2024-03', changed: ['2023-12'] })).toMatchObject({ kind: 'no-new-data' });
    const sliding = { kind: 'sliding', from: '2023-01', months: 2 } as const;
    expect(planWindow({ window: sliding, available: three, watermark: '2024-03', changed: ['2024-01'] })).toMatchObject(
      {
        kind: 'no-new-data',
      },
    );
  });

  test('whose newest month was taken away says that this is no reason to train', () => {
    expect(plan(three.slice(0, 2), { watermark: '2024-03', changed: [] })).toMatchObject({
      kind: 'no-new-data',
      message: expect.stringContaining('Removed partitions are no reason to train.') as string,
    });
  });
});

test('What was used stands against what is there now: the same, new, corrected, not read yet, or taken away', () => {
  const inputs = new Map([
    ['2024-01', sha('1')],
    ['2024-02', sha('9')],
    ['2024-03', null],
    ['2024-04', sha('4')],
  ]);
  const manifest = { ...last.manifest, holdout: [file('2024-03', '3'), file('2024-05', '5')] };
  const months = ['2024-06', '2024-05', '2024-04', '2024-03', '2024-02', '2024-01'];
  expect(trainedPartitions(manifest, inputs, months).map((one) => `${one.partition} ${one.content}`)).toEqual([
    '2024-01 same',
    '2024-02 corrected',
    '2024-03 unread',
    '2024-04 new',
    '2024-05 removed',
  ]);
});
