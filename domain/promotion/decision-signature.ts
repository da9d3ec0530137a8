import { canonicalJson } from '../canonical-json.js';
import type { DecisionProof } from '../decision-trust.js';

/** What the control API puts its name to: this person decided so, on this evidence, then. */
export interface SignedDecision {
  promotionId: string;
  actor: string;
  decision: string;
  comment: string;
  evidenceSha256: string;
  /** ISO 8601, UTC. */
  at: string;
}

/**
 * What stands in a compact signature, `v1.KEY.MILLISECONDS.EVIDENCE.PROMOTION.SIGNATURE`: enough to say what it is for
 * before it is checked.
 */
export interface CompactSignature {
  keyId: string;
  at: string;
  evidenceSha256: string;
  promotionId: string;
  /** Base64url of the 64 bytes of an Ed25519 signature. */
  signature: string;
}

/**
 * A signature older than this is refused: who decided so long ago is asked again. A day outlasts workers that are away.
 */
export const signatureAgeMaxMs = 24 * 3_600_000;
/** How far the clocks of API and worker may stand apart. */
const clockSkewMaxMs = 5 * 60_000;

/** The bytes that are signed, as text: canonical JSON (RFC 8785). */
export function signedText({ promotionId, actor, decision, comment, evidenceSha256, at }: SignedDecision): string {
  return canonicalJson({ promotionId, actor, decision, comment, evidenceSha256, at });
}

export function compactSignature({ keyId, at, evidenceSha256, promotionId, signature }: CompactSignature): string {
  return ['v1', keyId, String(Date.parse(at)), evidenceSha256, promotionId, signature].join('.');
}

/** Undefined for what is no compact signature. */
export function parseCompactSignature(text: string): CompactSignature | undefined {
  const match = /^v1\.([0-9a-f]{16})\.(\d{1,15})\.([0-9a-f]{64})\.([\w-]{1,200})\.([\w-]{86})$/.exec(text);
  const [, keyId, ms, evidenceSha256, promotionId, signature] = match ?? [];
  if (!keyId || !ms || !evidenceSha256 || !promotionId || !signature) return undefined;
  return { keyId, at: new Date(Number(ms)).toISOString(), evidenceSha256, promotionId, signature };
}

export interface SignatureQuestion {
  /** As it came. */
  signature: string | undefined;
  promotionId: string;
  evidenceSha256: string;
  actor: string;
  decision: string;
  comment: string;
  /** When the decision came in. */
  nowMs: number;
  /** Whether a text was signed so with the private half of the key; undefined for a key that is not known. */
  verify: (keyId: string, text: string, signature: string) => boolean | undefined;
}

/** Whether a decision's signature holds for this promotion, this evidence and these words. */
export function proofOf(question: SignatureQuestion): DecisionProof {
  const { promotionId, evidenceSha256, actor, decision, comment, nowMs, verify } = question;
  if (question.signature === undefined) return { kind: 'unsigned' };
  const refused = (reason: string): DecisionProof => ({ kind: 'refused', reason });
  const parsed = parseCompactSignature(question.signature);
  if (!parsed) return refused('its signature cannot be read');
  const { keyId, at } = parsed;
  const text = signedText({
    promotionId: parsed.promotionId,
    actor,
    decision,
    comment,
    evidenceSha256: parsed.evidenceSha256,
    at,
  });
  const holds = verify(keyId, text, parsed.signature);
  if (holds === undefined)
    return refused(
      `its signature is by the key ${keyId}, which is not among the verifying keys (PERDURE_VERIFYING_KEYS_FILE)`,
    );
  if (!holds) return refused('its signature does not match its content: it was altered or forged');
  if (parsed.promotionId !== promotionId)
    return refused(`its signature was made for another promotion (${parsed.promotionId}): decide on this one`);
  if (parsed.evidenceSha256 !== evidenceSha256)
    return refused(
      `its signature was made for other evidence (${parsed.evidenceSha256}): read the evidence ` +
        'shown now and decide again',
    );
  const ageMs = nowMs - Date.parse(at);
  if (ageMs > signatureAgeMaxMs)
    return refused(`it was signed at ${at}, more than ${signatureAgeMaxMs / 3_600_000} hours ago: decide again`);
  if (ageMs < -clockSkewMaxMs)
    return refused(`it was signed at ${at}, which is in the future: synchronize the clocks of API and workers`);
  return { kind: 'signed', keyId };
}
