import { randomUUID } from 'node:crypto';
import path from 'node:path';
import { decisionSigner } from '../../../adapters/decision-keys.js';
import { rolloutStatus } from '../../../client/rollout.js';
import { applyDefinition } from '../../../db/model/definition-queries.js';
import { acquireLease, releaseLease } from '../../../db/lease-queries.js';
import {
  openPromotion,
  recordDecision,
  setPromotionState,
  showEvidence,
} from '../../../db/promotion/promotion-queries.js';
import { acknowledgeRoute, recordGateway } from '../../../db/serving/gateway-queries.js';
import { routeOf, storeId, writeRoute } from '../../../db/serving/route-queries.js';
import { digestOf } from '../../../domain/canonical-json.js';
import { leaseNames, workflowIds } from '../../../domain/ids.js';
import type { ModelDefinition } from '../../../domain/model/model-definition.js';
import { floorDigest, floorSchema } from '../../../domain/promotion/floor.js';
import type { Evidence } from '../../../domain/promotion/promotion.js';
import { rulesDigest } from '../../../domain/promotion/rules-in-force.js';
import type { rolloutModel } from '../../../workflows/rollout/rollout-model.js';
import { pollUntil } from '../../support/poll-until.js';
import { registerRunAndVersion } from './registered-version.js';
import { ownDefinition, type TestApi } from './start-api.js';
import type { TestWorkers } from './start-workers.js';

const environment = 'production' as const;
const gateway = { gatewayId: 'g', environment, url: 'http://127.0.0.1:9', bootId: 'b' };

/**
 * Rollouts as the workers' own workflows, on the real servers. The one gateway serves each route while somebody waits
 * for it.
 * @param approver who has approved each of them, with a signature of the API
 */
export async function openRolloutBench(running: TestApi, workers: TestWorkers, approver: string) {
  const { db } = running;
  const signer = await decisionSigner(path.join(path.dirname(running.verifyingKeysFile), 'private.pem'));
  return { signer, rollingOut, untilStage, serve };

  /** Version 1 serves; a rollout of version 2 is in its first stage. */
  async function rollingOut() {
    const own = definition();
    const model = own.name;
    await applyDefinition(db, own, 'test');
    for (const version of [1, 2]) await registerRunAndVersion(running, own, version, digestOf(`${model} ${version}`));
    const held = await acquireLease(db, leaseNames.rollout(environment, model), 'test');
    if (!('grant' in held)) throw new Error('the lease is held');
    const split = [{ version: 1, sharePct: 100 }];
    await writeRoute(db, { environment, model, split, reason: 'test', idempotencyKey: model, lease: held.grant });
    await releaseLease(db, held.grant);
    const begin = () => approvedRollout(own);
    return { model, begin, ...(await begin()) };
  }

  async function approvedRollout(own: ModelDefinition) {
    const { name: model, promotion: policy, rollout } = own;
    const promotionId = randomUUID();
    await openPromotion(db, {
      id: promotionId,
      workflowId: 'w',
      model,
      version: 2,
      environment,
      requestedBy: 'rita@example.org',
    });
    const rules = { rulesSha256: rulesDigest(own), floorSha256: floorDigest(floorSchema.parse({})) };
    const evidence = {
      model,
      version: 2,
      environment,
      champion: 1,
      policy,
      rollout,
      trainedBy: 'tom@example.org',
      ...rules,
    };
    const evidenceSha256 = digestOf(evidence);
    await showEvidence(
      db,
      promotionId,
      { evidence: evidence as unknown as Evidence, evidenceSha256, expiresAt: null },
      0,
    );
    const at = new Date().toISOString();
    const said = { promotionId, actor: approver, decision: 'approve' as const, comment: '', evidenceSha256, at };
    const ruled = {
      sequence: 1,
      via: 'update' as const,
      roles: ['approver'],
      counted: true,
      selfApproved: false,
      reason: 'approved',
    };
    await recordDecision(db, { ...said, ...ruled, signature: signer.sign(said) });
    await setPromotionState(db, promotionId, 'rolling-out', null, 0);
    const handle = await workers.temporal.client.workflow.start<typeof rolloutModel>('rolloutModel', {
      taskQueue: workers.temporal.config.taskQueues.workflows,
      workflowId: workflowIds.rollout(environment, model),
      args: [{ model, version: 2, promotionId }],
    });
    await untilStage(model, handle.firstExecutionRunId, 1);
    return { handle, rolloutId: handle.firstExecutionRunId };
  }

  /** Waits for a stage to be watched, while the one gateway serves each route as it comes. */
  async function untilStage(model: string, rolloutId: string, step: number): Promise<void> {
    await pollUntil(`the rollout of ${model} is in stage ${step}`, 60_000, async () => {
      const epoch = await serve(model);
      const status = await rolloutStatus(workers.temporal, environment, model);
      if (
        status?.rolloutId === rolloutId &&
        status.step === step &&
        status.epoch === epoch &&
        status.state === 'running'
      )
        return true;
      throw new Error(JSON.stringify(status));
    });
  }

  /** The gateway says that it serves the model's newest route. @returns its epoch, 0 without one. */
  async function serve(model: string): Promise<number> {
    await recordGateway(db, gateway);
    const { epoch = 0 } = (await routeOf(db, environment, model)) ?? {};
    await acknowledgeRoute(db, {
      ...{ gatewayId: gateway.gatewayId, environment, model },
      ...{ storeId: await storeId(db), epoch },
    });
    return epoch;
  }
}

/** A canary of three stages, asked for and approved by a signed decision, in place of version 1. */
const definition = (): ModelDefinition => {
  const steps = [20, 50, 100].map((sharePct) => ({ sharePct, minRequests: 100, minSeconds: 0, maxSeconds: 3000 }));
  const { rollout, promotion, ...rest } = ownDefinition();
  if (rollout.strategy !== 'canary') throw new Error('the flights are rolled out by a canary');
  return ownDefinition({
    ...rest,
    triggers: { ...rest.triggers, schedules: [] },
    rollout: { ...rollout, steps },
    promotion,
  });
};
