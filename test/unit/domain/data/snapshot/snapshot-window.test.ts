import { describe, expect, it } from 'vitest';
import { planWindow, type WindowQuestion } from '../../../../../domain/data/snapshot/snapshot-window.js';

const expanding = { kind: 'expanding', from: '2013-01' } as const;
const sliding = { kind: 'sliding', from: '2013-01', months: 3 } as const;
const months = (...numbers: number[]) => numbers.map((month) => `2013-${String(month).padStart(2, '0')}`);
const plan = (question: Partial<WindowQuestion>) =>
  planWindow({ window: expanding, available: months(1, 2, 3), ...question });

describe('a training window', () => {
  it('expands from its start to the newest partition, which is held out', () => {
    expect(plan({ available: months(3, 1, 2) })).toEqual({
      kind: 'planned',
      partitions: months(1, 2, 3),
      train: months(1, 2),
      holdout: months(3),
    });
  });

  it('slides over the last months, across a turn of the year, and never before its start', () => {
    expect(plan({ window: sliding, available: months(1, 2, 3, 4, 5) })).toMatchObject({
      train: months(3, 4),
      holdout: months(5),
    });
    expect(plan({ window: sliding, available: months(1, 2) })).toMatchObject({ train: months(1), holdout: months(2) });
    expect(
      plan({ window: { ...sliding, from: '2012-01' }, available: ['2012-11', '2012-12', '2013-01'] }),
    ).toMatchObject({
      train: ['2012-11', '2012-12'],
    });
  });

  it('slides over as many partitions of any cadence, and is never planned over more than can be read', () => {
    const hourly = { kind: 'sliding', from: '2013-04-07T00', partitions: 3 } as const;
    const available = ['2013-04-07T21', '2013-04-07T22', '2013-04-07T23', '2013-04-08T00'];
    expect(plan({ window: hourly, available })).toMatchObject({
      train: available.slice(1, 3),
      holdout: ['2013-04-08T00'],
    });
    const since = { kind: 'expanding', from: '2000-01-01T00' } as const;
    expect(plan({ window: since, available: ['2013-04-07T00'] })).toMatchObject({ kind: 'gap' });
    expect(plan({ window: since, available: ['9999-04-07T00'] })).toMatchObject({
      kind: 'too-many-partitions',
      message: expect.stringContaining('hours; at most 10000') as string,
    });
  });

  it('ignores what is before its start', () => {
    expect(plan({ available: ['2012-12', ...months(1, 2)] })).toMatchObject({ partitions: months(1, 2) });
  });

  it('ends at `until` whatever arrived later, and then knows no watermark', () => {
    expect(plan({ available: months(1, 2, 3, 4, 6), until: '2013-03', watermark: '2013-04' })).toMatchObject({
      train: months(1, 2),
      holdout: months(3),
    });
  });

  it('is not planned when nothing is newer than the watermark', () => {
    expect(plan({ watermark: '2013-03' })).toMatchObject({
      kind: 'no-new-data',
      newest: '2013-03',
      watermark: '2013-03',
    });
    expect(plan({ watermark: '2013-02' })).toMatchObject({ kind: 'planned' });
  });

  it('is not planned over a gap, which is named with its reason', () => {
    expect(plan({ available: months(1, 3, 6) })).toMatchObject({ kind: 'gap', missing: months(2, 4, 5) });
    expect(plan({ available: months(2, 3) })).toMatchObject({
      kind: 'gap',
      missing: ['2013-01'],
      message: expect.stringContaining('2013-01 has not arrived') as string,
    });
    expect(plan({ window: sliding, available: months(1, 3, 4, 5) })).toMatchObject({
      kind: 'planned',
      partitions: months(3, 4, 5),
    });
  });

  it('passes over a discarded partition without calling it a gap', () => {
    expect(plan({ available: months(1, 2, 3), discarded: ['2013-02'] })).toMatchObject({
      train: ['2013-01'],
      holdout: ['2013-03'],
    });
    expect(plan({ available: months(1, 3), discarded: ['2013-02'] })).toMatchObject({
      kind: 'planned',
      partitions: months(1, 3),
    });
  });

  it('needs two partitions', () => {
    expect(plan({ available: months(1) })).toMatchObject({ kind: 'too-few-partitions', available: months(1) });
    expect(plan({ available: [] })).toMatchObject({ kind: 'too-few-partitions', available: [] });
    expect(plan({ until: '2013-01' })).toMatchObject({ kind: 'too-few-partitions' });
  });

  it('is not planned to an `until` that has not arrived, was discarded or is before the start', () => {
    const reason = (question: Partial<WindowQuestion>) => {
      const outcome = plan(question);
      return outcome.kind === 'until-missing' ? outcome.message : outcome.kind;
    };
    expect(reason({ until: '2013-07' })).toContain('2013-07 has not arrived');
    expect(reason({ until: '2013-03', discarded: ['2013-03'] })).toContain('2013-03 was discarded');
    expect(reason({ until: '2012-12', available: ['2012-12'] })).toContain("before the window's start");
  });
});
