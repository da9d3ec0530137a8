import { describe, expect, it } from 'vitest';
import { promotionPolicySchema } from '../../../domain/promotion-policy.js';
import {
  needsNoApproval,
  promotionStanding,
  ruleOnDecision,
  type CountedDecision,
  type Decision,
  type DecisionSituation,
} from '../../../domain/promotion.js';

const shown = '1'.repeat(64);
const policy = promotionPolicySchema.parse({});

function rule(decision: Partial<Decision>, situation: Partial<DecisionSituation> = {}) {
  return ruleOnDecision(
    { decision: 'approve', actor: 'ann', comment: '', ...decision },
    {
      policy,
      requestedBy: 'rita',
      roles: ['approver'],
      allowRequester: false,
      shownEvidenceSha256: shown,
      via: 'update',
      earlier: [],
      ...situation,
    },
  );
}

const counted = (actor: string, decision: CountedDecision['decision'] = 'approve'): CountedDecision => ({ actor, decision, counted: true });

describe('a ruling on a decision', () => {
  it('counts an approval by somebody with the role, naming the shown evidence or none', () => {
    expect(rule({})).toEqual({ counted: true, selfApproved: false, reason: 'approved' });
    expect(rule({ evidenceSha256: shown }).counted).toBe(true);
  });

  it('refuses other evidence before it asks who decides', () => {
    expect(rule({ evidenceSha256: '2'.repeat(64) }, { roles: [] }).reason).toContain('other evidence');
  });

  it('refuses approval and rejection without a role', () => {
    expect(rule({}, { roles: ['reader'] })).toMatchObject({ counted: false, reason: expect.stringContaining('approver') });
    expect(rule({ decision: 'reject' }, { roles: [] }).counted).toBe(false);
  });

  it('lets the requester reject and withdraw, but approve only where that is allowed', () => {
    expect(rule({ actor: 'rita' }).counted).toBe(false);
    expect(rule({ actor: 'rita' }, { allowRequester: true })).toEqual({
      counted: true,
      selfApproved: true,
      reason: 'approved by the requester',
    });
    expect(rule({ actor: 'rita', decision: 'reject' }).counted).toBe(true);
    expect(rule({ actor: 'rita', decision: 'withdraw' }, { roles: [] }).counted).toBe(true);
    expect(rule({ actor: 'ann', decision: 'withdraw' }).counted).toBe(false);
    expect(rule({ actor: 'ann', decision: 'withdraw' }, { roles: ['owner'] }).counted).toBe(true);
  });

  it('never counts a system actor, whatever its role', () => {
    expect(rule({ actor: 'system:data' }, { requestedBy: 'system:data', allowRequester: true }).counted).toBe(false);
  });

  it('counts one approval a person', () => {
    const two = promotionPolicySchema.parse({ approvals: { count: 2 } });
    expect(rule({}, { policy: two, earlier: [counted('ann')] }).counted).toBe(false);
    expect(rule({}, { policy: two, earlier: [{ ...counted('ann'), counted: false }] }).counted).toBe(true);
    expect(rule({}, { policy: two, earlier: [counted('ben')] }).counted).toBe(true);
  });

  it('records a signal without counting it where the policy says so; an update counts', () => {
    const record = promotionPolicySchema.parse({ unsignedSignals: 'record' });
    expect(rule({}, { policy: record, via: 'signal' }).counted).toBe(false);
    expect(rule({}, { policy: record, via: 'update' }).counted).toBe(true);
  });
});

describe('where a promotion stands', () => {
  const two = promotionPolicySchema.parse({ approvals: { count: 2 } });

  it('is approved by as many different people as the policy asks for', () => {
    expect(promotionStanding(two, [])).toBe('waiting');
    expect(promotionStanding(two, [counted('ann')])).toBe('waiting');
    expect(promotionStanding(two, [counted('ann'), counted('ann')])).toBe('waiting');
    expect(promotionStanding(two, [counted('ann'), counted('ben')])).toBe('approved');
  });

  it('heeds only what counted', () => {
    expect(promotionStanding(two, [counted('ann'), { ...counted('ben'), counted: false }])).toBe('waiting');
    expect(promotionStanding(two, [{ ...counted('ben', 'reject'), counted: false }])).toBe('waiting');
  });

  it('is ended by the first rejection or withdrawal that counts, whatever comes before or after', () => {
    expect(promotionStanding(two, [counted('ann'), counted('ben', 'reject'), counted('cy')])).toBe('rejected');
    expect(promotionStanding(two, [counted('rita', 'withdraw'), counted('ben', 'reject')])).toBe('withdrawn');
  });

  it('needs nobody only for a first version let in by policy, or where no approval is asked for', () => {
    expect(needsNoApproval(policy, null)).toBe(true);
    expect(needsNoApproval(policy, 1)).toBe(false);
    expect(needsNoApproval(promotionPolicySchema.parse({ firstVersion: 'approval' }), null)).toBe(false);
    expect(needsNoApproval(promotionPolicySchema.parse({ approvals: { count: 0 } }), 1)).toBe(true);
  });
});
