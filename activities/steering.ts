import { readAccessFile } from '../adapters/access-file.js';
import { decisionVerifier } from '../adapters/decision-keys.js';
import { rolesOf } from '../domain/access.js';
import { requirementsOf } from '../domain/approval-places.js';
import type { SteeringCommand } from '../domain/requests.js';
import { steeringProofOf } from '../domain/steering-signature.js';
import { whyNotSteered } from '../domain/steering.js';
import { promotionById } from '../db/promotion-queries.js';
import { rolloutById } from '../db/rollout-queries.js';
import { recordSteering, wasUsed } from '../db/steering-queries.js';
import type { ActivityDependencies } from './dependencies.js';

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
      const row = await recordSteering(db, { ...said, roles, stage, accepted: refused === null, answer: refused ?? answer });
      return { accepted: row.accepted, reason: row.answer, roles: row.roles };
    },
  };

  async function whyRefused(
    { id, rolloutId, command, actor, reason, signature }: Omit<SteeringToRule, 'refusedBecause' | 'answer' | 'stage'>,
    stage: number,
    roles: string[] | null,
  ): Promise<string | null> {
    const { trust, verifyingKeysFile } = config.decisions;
    const verify =
      signature === null || verifyingKeysFile === undefined ? null : await decisionVerifier(verifyingKeysFile).catch(() => null);
    const words = { rolloutId, command, stage, actor, reason };
    const proof = steeringProofOf({
      signature: verify ? (signature ?? undefined) : undefined,
      said: words,
      nowMs: Date.now(),
      verify: verify ?? (() => undefined),
    });
    const refused = whyNotSteered({ command, actor, roles, mayMove: await mayMove(rolloutId), trust, proof });
    if (refused !== null || signature === null) return refused;
    return (await wasUsed(db, signature, id)) ? 'its signature was used before: say it again' : null;
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
