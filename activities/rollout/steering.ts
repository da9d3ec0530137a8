import { readAccessFile } from '../../adapters/access-file.js';
import { decisionVerifier } from '../../adapters/decision-keys.js';
import { rolesOf } from '../../domain/promotion/access.js';
import { requirementsOf } from '../../domain/promotion/approval-slots.js';
import type { DecisionProof } from '../../domain/decision-trust.js';
import type { SteeringCommand } from '../../domain/workflow-inputs.js';
import { steeringProofOf, type SignedSteering } from '../../domain/rollout/steering-signature.js';
import { isTowardsSafety, whyNotSteered } from '../../domain/rollout/steering.js';
import { promotionById } from '../../db/promotion/promotion-queries.js';
import { rolloutById } from '../../db/rollout/rollout-queries.js';
import { recordSteering } from '../../db/rollout/steering-queries.js';
import { isBroken } from '../promotion/decision-trust.js';
import type { ActivityDependencies } from '../dependencies.js';

export interface SteeringToRule {
  /** Made by the workflow: a repeated activity finds what was ruled the first time. */
  id: string;
  rolloutId: string;
  command: SteeringCommand;
  actor: string;
  reason: string;
  signature: string | null;
  via: 'update' | 'signal';
  /** Place of the stage that the rollout is in. */
  stage: number;
  /** Why the rollout does not take it; null where it would. */
  refusedBecause: string | null;
  /** What it answers when it takes it. */
  answer: string;
}

export interface RuledSteering {
  accepted: boolean;
  reason: string;
  roles: string[] | null;
}

/** What people say to a rollout: whether it may move traffic, and a record of it either way. */
export function createSteeringActivities({ db, config }: Pick<ActivityDependencies, 'db' | 'config'>) {
  return {
    async ruleOnSteering({ refusedBecause, answer, stage, ...said }: SteeringToRule): Promise<RuledSteering> {
      const access = await readAccessFile(config.accessFile).catch(() => null);
      const roles = access && rolesOf(access, said.actor);
      const refused = refusedBecause ?? (await whyRefused(said, stage, roles));
      const ruled = { ...said, roles, stage, accepted: refused === null, answer: refused ?? answer };
      const row = await recordSteering(db, ruled, { once: !isTowardsSafety(said.command) });
      return { accepted: row.accepted, reason: row.answer, roles: row.roles };
    },
  };

  async function whyRefused(
    { rolloutId, command, actor, reason, signature }: Omit<SteeringToRule, 'refusedBecause' | 'answer' | 'stage'>,
    stage: number,
    roles: string[] | null,
  ): Promise<string | null> {
    const proof = await proofOf({ rolloutId, command, stage, actor, reason }, signature);
    return whyNotSteered({
      command,
      actor,
      roles,
      mayMove: await mayMove(rolloutId),
      trust: config.decisions.trust,
      proof,
    });
  }

  /** Without keys nothing can be checked: a signature then is as good as none. */
  async function proofOf(said: Omit<SignedSteering, 'at'>, signature: string | null): Promise<DecisionProof> {
    const { verifyingKeysFile } = config.decisions;
    if (signature === null || verifyingKeysFile === undefined) return { kind: 'unsigned' };
    try {
      return steeringProofOf({ signature, said, nowMs: Date.now(), verify: await decisionVerifier(verifyingKeysFile) });
    } catch (error) {
      if (isBroken(error)) return { kind: 'refused', reason: `its signature cannot be checked: ${error.message}` };
      throw error;
    }
  }

  /** Who may approve the promotion that the rollout carries out may move it on, and an owner. */
  async function mayMove(rolloutId: string): Promise<string[]> {
    const promotionId = (await rolloutById(db, rolloutId))?.promotionId;
    const evidence = promotionId ? (await promotionById(db, promotionId)).evidence : null;
    const approvers = evidence ? requirementsOf(evidence.policy, true).flatMap((one) => one.roles) : ['approver'];
    return [...new Set([...approvers, 'owner'])];
  }
}

export type SteeringActivities = ReturnType<typeof createSteeringActivities>;
