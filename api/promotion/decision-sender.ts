import { decidePromotion } from '../../client/promotion.js';
import type { DecisionTrust } from '../../domain/decision-trust.js';
import type { SignedDecision } from '../../domain/promotion/decision-signature.js';
import { PerdureError } from '../../domain/errors.js';
import type { Environment } from '../../domain/names.js';
import type { SteeringCommand } from '../../domain/workflow-inputs.js';
import { isTowardsSafety } from '../../domain/rollout/steering.js';
import type { SignedSteering } from '../../domain/rollout/steering-signature.js';
import { steerRollout, type SteeringAnswer } from '../../client/rollout.js';
import type { Decision } from '../../domain/promotion/promotion.js';
import type { DecisionReply } from '../../client/http/promotions.js';
import type { TemporalLink } from '../temporal-connection.js';

/** Takes decisions on promotions, signs them, and asks the workflow whether they count. */
export interface DecisionSender {
  decide(
    promotion: { id: string; workflowId: string; evidenceSha256: string | null },
    decision: Omit<Decision, 'signature'>,
  ): Promise<Omit<DecisionReply, 'queuedBehind'>>;
  /**
   * Tells a running rollout something in the name of a person.
   * @throws PerdureError `not-found` when it has ended, `environment/broken` without the key that must sign.
   */
  steer(
    rollout: { id: string; environment: Environment; model: string; stage: number },
    said: { command: SteeringCommand; actor: string; reason: string },
  ): Promise<SteeringAnswer>;
}

interface SenderOptions {
  temporal: TemporalLink;
  trust: DecisionTrust;
  /** The API's key; null where it has none, and decisions go out unsigned. */
  signer: {
    keyId: string;
    sign: (decision: SignedDecision) => string;
    signSteering: (said: SignedSteering) => string;
  } | null;
}

/** So long a worker may take to rule before the answer is that nobody knows yet. */
const rulingMs = 60_000;

export function createDecisionSender({ temporal, trust, signer }: SenderOptions): DecisionSender {
  return {
    async decide({ id, workflowId, evidenceSha256: shown }, { evidenceSha256: named, ...said }) {
      if (trust === 'signed') mustBeProvable(signer, named);
      const evidenceSha256 = named ?? shown ?? undefined;
      const signature =
        signer && evidenceSha256
          ? signer.sign({ ...said, promotionId: id, evidenceSha256, at: new Date().toISOString() })
          : undefined;
      const decision = { ...said, ...(evidenceSha256 && { evidenceSha256 }), ...(signature && { signature }) };
      const answer = await temporal.use((handle) =>
        decidePromotion(handle, workflowId, decision, { promotionId: id, withinMs: rulingMs }),
      );
      return { ...answer, evidenceSha256: evidenceSha256 ?? null, keyId: signature && signer ? signer.keyId : null };
    },
    async steer({ id, environment, model, stage }, { command, actor, reason }) {
      if (trust === 'signed' && !isTowardsSafety(command)) mustHaveKey(signer);
      const signature = signer?.signSteering({
        rolloutId: id,
        command,
        stage,
        actor,
        reason,
        at: new Date().toISOString(),
      });
      const said = { actor, reason, ...(signature && { signature }) };
      return temporal.use((handle) =>
        steerRollout(handle, environment, model, command, said, { rolloutId: id, withinMs: rulingMs }),
      );
    },
  };
}

/** What would be refused anyway is refused here, where the reason is told to who can mend it. */
function mustBeProvable(
  signer: SenderOptions['signer'],
  evidenceSha256: string | undefined,
): asserts evidenceSha256 is string {
  mustHaveKey(signer);
  if (evidenceSha256 === undefined) {
    throw new PerdureError(
      'input/invalid',
      'evidenceSha256: name the evidence you have read; required while decisions must be signed.',
    );
  }
}

function mustHaveKey(signer: SenderOptions['signer']): asserts signer is NonNullable<SenderOptions['signer']> {
  if (signer) return;
  throw new PerdureError(
    'environment/broken',
    'Decisions must be signed (PERDURE_DECISION_TRUST is "signed"), and the control API has no key: set ' +
      'PERDURE_SIGNING_KEY_FILE.',
  );
}
