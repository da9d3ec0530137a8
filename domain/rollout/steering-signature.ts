import { canonicalJson } from '../canonical-json.js';
import type { DecisionProof } from '../decision-trust.js';
import type { SteeringCommand } from '../workflow-inputs.js';

/** What the control API puts its name to: this person told this rollout so, in this stage, then. */
export interface SignedSteering {
  rolloutId: string;
  command: SteeringCommand;
  /** Place of the stage that the person saw: what is said of one does not count for the next. */
  stage: number;
  actor: string;
  reason: string;
  /** ISO 8601, UTC. */
  at: string;
}

/** So long a command may be under way. */
const ageMaxMs = 3_600_000;
const clockSkewMaxMs = 5 * 60_000;

/**
 * The bytes that are signed, as text: canonical JSON. No decision has these members, so that one never passes for the
 * other.
 */
export const signedSteeringText = ({ rolloutId, command, stage, actor, reason, at }: SignedSteering): string =>
  canonicalJson({ steering: command, rolloutId, stage, actor, reason, at });

/** `s1.KEY.MILLISECONDS.STAGE.SIGNATURE`. */
export const compactSteering = (keyId: string, { at, stage }: SignedSteering, signature: string): string =>
  ['s1', keyId, String(Date.parse(at)), String(stage), signature].join('.');

export interface SteeringQuestion {
  signature: string | undefined;
  said: Omit<SignedSteering, 'at'>;
  nowMs: number;
  verify: (keyId: string, text: string, signature: string) => boolean | undefined;
}

/** Whether a command's signature holds for this rollout, this stage and these words. */
export function steeringProofOf({ signature, said, nowMs, verify }: SteeringQuestion): DecisionProof {
  if (signature === undefined) return { kind: 'unsigned' };
  const refused = (reason: string): DecisionProof => ({ kind: 'refused', reason });
  const [, keyId = '', ms = '', stage = '', bytes = ''] =
    /^s1\.([0-9a-f]{16})\.(\d{1,15})\.(\d{1,4})\.([\w-]{86})$/.exec(signature) ?? [];
  if (keyId === '') return refused('its signature cannot be read');
  const at = new Date(Number(ms)).toISOString();
  const holds = verify(keyId, signedSteeringText({ ...said, stage: Number(stage), at }), bytes);
  if (holds === undefined)
    return refused(
      `its signature is by the key ${keyId}, which is not among the verifying keys (PERDURE_VERIFYING_KEYS_FILE)`,
    );
  if (!holds) return refused('its signature does not match its content: it was altered or forged');
  if (Number(stage) !== said.stage)
    return refused(
      `it was meant for stage ${Number(stage) + 1}, but the rollout is in stage ${said.stage + 1}: check the ` +
        `rollout again`,
    );
  const ageMs = nowMs - Date.parse(at);
  if (ageMs > ageMaxMs || ageMs < -clockSkewMaxMs) return refused(`it was signed at ${at}: send it again`);
  return { kind: 'signed', keyId };
}
