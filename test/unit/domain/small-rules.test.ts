import { describe, expect, it } from 'vitest';
import { accessSchema, rolesOf } from '../../../domain/promotion/access.js';
import { actorOf } from '../../../domain/cause.js';
import { parseVersionRef, workflowIds } from '../../../domain/ids.js';
import { holderText, parseHolder } from '../../../domain/lease-holder.js';
import { addPartitions, partitionRange, partitionSchema } from '../../../domain/partition.js';
import { describeIssues, issuePath } from '../../../domain/schema-issue.js';
import { worstVerdict } from '../../../domain/verdict.js';

describe('partitions', () => {
  it('of a month are written YYYY-MM', () => {
    for (const text of ['2013-01', '0999-12']) expect(partitionSchema.safeParse(text).success).toBe(true);
    for (const text of ['2013-00', '2013-13', '2013-1', '13-01', '2013-01-32', ' 2013-01', '2013-01\n'])
      expect(partitionSchema.safeParse(text).success, text).toBe(false);
  });

  it('go on over the end of a year, both ways', () => {
    expect(addPartitions('2013-11', 3)).toBe('2014-02');
    expect(addPartitions('2013-01', -1)).toBe('2012-12');
    expect(addPartitions('2013-06', -30)).toBe('2010-12');
    expect(partitionRange('2012-11', '2013-02')).toEqual(['2012-11', '2012-12', '2013-01', '2013-02']);
    expect(partitionRange('2013-02', '2013-02')).toEqual(['2013-02']);
    expect(partitionRange('2013-03', '2013-02')).toEqual([]);
  });
});

describe('the verdict of several', () => {
  it('is the worst: fail, then no data, then inconclusive; none at all is no data, never a pass', () => {
    expect(worstVerdict(['pass', 'pass'])).toBe('pass');
    expect(worstVerdict(['pass', 'inconclusive'])).toBe('inconclusive');
    expect(worstVerdict(['inconclusive', 'no-data', 'pass'])).toBe('no-data');
    expect(worstVerdict(['no-data', 'fail', 'inconclusive'])).toBe('fail');
    expect(worstVerdict([])).toBe('no-data');
  });
});

describe('roles', () => {
  const access = accessSchema.parse({
    roles: { approver: ['ann', '*@bank.example'], owner: ['team-*'], reader: ['*'] },
  });

  it('are found by name, by a beginning and by an end', () => {
    expect(rolesOf(access, 'ann')).toEqual(['approver', 'reader']);
    expect(rolesOf(access, 'x@bank.example')).toEqual(['approver', 'reader']);
    expect(rolesOf(access, 'team-risk')).toEqual(['owner', 'reader']);
  });

  it('are not found by a part of a name, nor by other letters', () => {
    for (const actor of ['anna', 'jo ann', 'Ann', 'x@bank.example.org', 'my-team-risk'])
      expect(rolesOf(access, actor), actor).toEqual(['reader']);
  });

  it('are never a system actor’s', () => {
    expect(rolesOf(access, 'system:data')).toEqual([]);
  });

  it('forbid self-approval unless the file allows it', () => {
    expect(access.allowRequester).toBe(false);
  });
});

describe('names', () => {
  it('of workflows are those of the outside contract', () => {
    expect(workflowIds.train('flight-delay', { kind: 'data', id: '2013-03' })).toBe('train/flight-delay/data-2013-03');
    expect(workflowIds.promote('flight-delay', 2, 'production')).toBe('promote/flight-delay/2/production');
    expect(workflowIds.rollout('staging', 'flight-delay')).toBe('rollout/staging/flight-delay');
    expect(workflowIds.rollback('production', 'flight-delay', 7)).toBe('rollback/production/flight-delay/7');
  });

  it('of versions are taken apart, and refused where they are none', () => {
    expect(parseVersionRef('flight-delay@2')).toEqual({ model: 'flight-delay', version: 2 });
    expect(parseVersionRef('flight-delay')).toEqual({ model: 'flight-delay', version: undefined });
    for (const text of [
      '',
      '@2',
      'flight-delay@',
      'flight-delay@0',
      'flight-delay@02',
      'flight-delay@x',
      'Flight@1',
      'a@1@2',
      'flight-delay@1\n',
    ])
      expect(parseVersionRef(text), text).toBeUndefined();
  });

  it('of lease holders are taken apart again, separators in workflow ids included', () => {
    for (const holder of [
      { workflowId: 'rollout/production/m', runId: 'r' },
      { workflowId: 'a|b', runId: 'r' },
    ]) {
      expect(parseHolder(holderText(holder))).toEqual(holder);
    }
  });

  it('of requesters come from the cause', () => {
    expect(actorOf({ kind: 'schedule' })).toBe('system:schedule');
    expect(actorOf({ kind: 'person' })).toBe('unknown');
    expect(actorOf({ kind: 'person', actor: 'rita' })).toBe('rita');
  });
});

describe('a message about a wrong value', () => {
  it('names each place first', () => {
    expect(issuePath(['evaluation', 'gates', 0, 'metric'])).toBe('evaluation.gates[0].metric');
    expect(issuePath([])).toBe('');
    expect(
      describeIssues([
        { path: ['model'], message: 'is missing' },
        { path: [], message: 'is no object' },
      ]),
    ).toBe('model: is missing; is no object');
  });
});
