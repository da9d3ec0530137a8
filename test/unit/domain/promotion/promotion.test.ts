import { describe, expect, it } from 'vitest';
import { promotionPolicySchema } from '../../../../domain/promotion/promotion-policy.js';
import { ruleOnDecision, type DecisionSituation } from '../../../../domain/promotion/decision-ruling.js';
import { needsNoApproval, approvalState } from '../../../../domain/promotion/approval-state.js';
import type { CountedDecision, Decision } from '../../../../domain/promotion/promotion.js';

const shown = '1'.repeat(64);
const policy = promotionPolicySchema.parse({});

function rule(decision: Partial<Decision>, situation: Partial<DecisionSituation> = {}) {
  return ruleOnDecision(
    { decision: 'approve', actor: 'ann', comment: '', ...decision },
    {
      policy,
      requestedBy: 'rita',
      trainedBy: 'tom',
      roles: ['approver'],
      allowRequester: false,
      shownEvidenceSha256: shown,
      via: 'update',
      earlier: [],
      escalated: false,
      trust: 'frontend',
      proof: { kind: 'unsigned' },
      ...situation,
    },
  );
}

const counted = (actor: string, decision: CountedDecision['decision'] = 'approve'): CountedDecision => ({
  actor,
  decision,
  counted: true,
});

describe('a ruling on a decision', () => {
  it('counts an approval by somebody with the role, naming the shown evidence or none', () => {
    expect(rule({})).toEqual({
      counted: true,
      selfApproved: false,
      reason: 'approved (not signed: the Temporal frontend is trusted)',
    });
    expect(rule({ evidenceSha256: shown }).counted).toBe(true);
  });

  it('refuses other evidence before it asks who decides', () => {
    expect(rule({ evidenceSha256: '2'.repeat(64) }, { roles: [] }).reason).toContain('other evidence');
  });

  it('refuses approval and rejection without a role', () => {
    expect(rule({}, { roles: ['reader'] })).toMatchObject({
      counted: false,
      reason: expect.stringContaining('approver'),
    });
    expect(rule({ decision: 'reject' }, { roles: [] }).counted).toBe(false);
  });

  it('lets the requester reject and withdraw, but approve only where that is allowed', () => {
    expect(rule({ actor: 'rita' }).counted).toBe(false);
    expect(rule({ actor: 'rita' }, { allowRequester: true })).toEqual({
      counted: true,
      selfApproved: true,
      reason: expect.stringContaining('approved by the requester'),
    });
    expect(rule({ actor: 'rita', decision: 'reject' }).counted).toBe(true);
    expect(rule({ actor: 'rita', decision: 'withdraw' }, { roles: [] }).counted).toBe(true);
    expect(rule({ actor: 'ann', decision: 'withdraw' }).counted).toBe(false);
    expect(rule({ actor: 'ann', decision: 'withdraw' }, { roles: ['owner'] }).counted).toBe(true);
  });

  it('lets who had the version trained reject, but approve only where that is allowed', () => {
    expect(rule({ actor: 'tom' })).toMatchObject({
      counted: false,
      reason: 'whoever had the version trained cannot approve it',
    });
    expect(rule({ actor: 'tom', decision: 'reject' }).counted).toBe(true);
    expect(rule({ actor: 'tom' }, { allowRequester: true })).toMatchObject({ counted: true, selfApproved: true });
    expect(rule({ actor: 'tom' }, { trainedBy: undefined }).counted).toBe(true);
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
    expect(rule({}, { policy: record, via: 'signal', proof: { kind: 'signed', keyId: 'k1' } }).counted).toBe(true);
  });

  it('counts nothing that is not signed where only the API is trusted, a rejection neither', () => {
    for (const decision of ['approve', 'reject', 'withdraw'] as const) {
      expect(rule({ decision, actor: 'ann' }, { trust: 'signed', roles: ['approver', 'owner'] })).toMatchObject({
        counted: false,
        reason: expect.stringContaining('it is not signed'),
      });
    }
    expect(rule({}, { trust: 'signed', proof: { kind: 'signed', keyId: 'k1' } })).toMatchObject({
      counted: true,
      reason: 'approved (signed by the control API, key k1)',
    });
  });

  it('refuses a signature that does not hold, whatever is trusted', () => {
    const proof = { kind: 'refused', reason: 'made up' } as const;
    for (const trust of ['frontend', 'signed'] as const) {
      expect(rule({}, { trust, proof })).toEqual({ counted: false, selfApproved: false, reason: 'made up' });
    }
  });
});

describe('approvals by several roles', () => {
  const both = promotionPolicySchema.parse({ approvals: { count: 2, alsoRequire: [{ roles: ['risk-officer'] }] } });
  const by = (actor: string, ...roles: string[]): CountedDecision => ({ ...counted(actor), roles });

  it('suffice only when each requirement has its own people', () => {
    const approvers = [by('ann', 'approver'), by('ben', 'approver')];
    expect(approvalState(both, approvers)).toBe('waiting');
    expect(approvalState(both, [...approvers, by('rob', 'risk-officer')])).toBe('approved');
    expect(approvalState(both, [by('ann', 'approver', 'risk-officer'), by('ben', 'approver')])).toBe('waiting');
  });

  it('do not count where the slots for their roles are filled, and say who is still needed', () => {
    const earlier = [by('ann', 'approver'), by('ben', 'approver')];
    expect(rule({ actor: 'cy' }, { policy: both, earlier })).toMatchObject({
      counted: false,
      reason: expect.stringContaining('still needed: 1 from risk-officer'),
    });
    expect(rule({ actor: 'rob' }, { policy: both, earlier, roles: ['risk-officer'] }).counted).toBe(true);
  });

  it('count for whichever place is left when the first approver has both roles', () => {
    const earlier = [by('ann', 'approver', 'risk-officer'), by('ben', 'approver')];
    expect(rule({ actor: 'cy' }, { policy: both, earlier }).counted).toBe(true);
    expect(approvalState(both, [...earlier, by('cy', 'approver')])).toBe('approved');
  });

  it('are asked of escalation roles only once nobody decided in time', () => {
    const escalating = promotionPolicySchema.parse({ escalateAfterHours: 4, escalateTo: ['head'] });
    expect(rule({ actor: 'hal' }, { policy: escalating, roles: ['head'] }).counted).toBe(false);
    expect(rule({ actor: 'hal' }, { policy: escalating, roles: ['head'], escalated: true }).counted).toBe(true);
    expect(approvalState(escalating, [by('hal', 'head')], true)).toBe('approved');
  });
});

describe('a promotion policy', () => {
  it.each([
    ['escalation without roles', { escalateAfterHours: 4 }, 'escalateTo'],
    ['escalation roles without a time', { escalateTo: ['head'] }, 'escalateTo'],
    ['escalation after the end', { escalateAfterHours: 200, escalateTo: ['head'] }, 'escalateAfterHours'],
  ])('refuses %s', (_, policyInput, path) => {
    expect(promotionPolicySchema.safeParse(policyInput).error?.issues[0]?.path).toEqual([path]);
  });
});

describe('where a promotion stands', () => {
  const two = promotionPolicySchema.parse({ approvals: { count: 2 } });

  it('is approved by as many different people as the policy asks for', () => {
    expect(approvalState(two, [])).toBe('waiting');
    expect(approvalState(two, [counted('ann')])).toBe('waiting');
    expect(approvalState(two, [counted('ann'), counted('ann')])).toBe('waiting');
    expect(approvalState(two, [counted('ann'), counted('ben')])).toBe('approved');
  });

  it('heeds only what counted', () => {
    expect(approvalState(two, [counted('ann'), { ...counted('ben'), counted: false }])).toBe('waiting');
    expect(approvalState(two, [{ ...counted('ben', 'reject'), counted: false }])).toBe('waiting');
  });

  it('is ended by the first rejection or withdrawal that counts, whatever comes before or after', () => {
    expect(approvalState(two, [counted('ann'), counted('ben', 'reject'), counted('cy')])).toBe('rejected');
    expect(approvalState(two, [counted('rita', 'withdraw'), counted('ben', 'reject')])).toBe('withdrawn');
  });

  it('needs nobody only for a first version let in by policy, or where no approval is asked for', () => {
    expect(needsNoApproval(policy, null)).toBe(true);
    expect(needsNoApproval(policy, 1)).toBe(false);
    expect(needsNoApproval(promotionPolicySchema.parse({ firstVersion: 'approval' }), null)).toBe(false);
    expect(needsNoApproval(promotionPolicySchema.parse({ approvals: { count: 0 } }), 1)).toBe(true);
  });
});
