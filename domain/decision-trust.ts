/**
 * Whose word is taken for who decided: that of whoever can write to the Temporal frontend, or only the control API's
 * signature.
 */
export const decisionTrusts = ['frontend', 'signed'] as const;
export type DecisionTrust = (typeof decisionTrusts)[number];

/** What a process says about its trust when it starts. */
export function trustText(trust: DecisionTrust): string {
  return trust === 'signed'
    ? "decisions on promotions count only with the control API's signature"
    : 'decisions on promotions count without a signature: whoever can write to the Temporal frontend ' +
        'decides. For development; set PERDURE_DECISION_TRUST=signed elsewhere';
}

/** What is known of a decision's signature. */
export type DecisionProof =
  | { kind: 'signed'; keyId: string }
  | { kind: 'unsigned' }
  /** It carries a signature that does not hold; `reason` says why. */
  | { kind: 'refused'; reason: string };

/**
 * Why a decision with this proof counts for nothing; null where it may count. A signature that does not hold is worse
 * than none.
 */
export function whyNotTrusted(trust: DecisionTrust, proof: DecisionProof): string | null {
  if (proof.kind === 'refused') return proof.reason;
  if (proof.kind === 'unsigned' && trust === 'signed') {
    return (
      'it is not signed, and PERDURE_DECISION_TRUST is "signed": decide with `perdure approve` or through ' +
      'the control API, which signs'
    );
  }
  return null;
}

/** How far a counted decision is proven, in words. */
export function proofText(proof: DecisionProof): string {
  return proof.kind === 'signed'
    ? `signed by the control API, key ${proof.keyId}`
    : 'not signed: the Temporal frontend is trusted';
}
