import { createHash } from 'node:crypto';
import { writeFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { decidePromotion, promotionResult, startPromotion } from '../../../client/promotion.js';
import { canonicalJson } from '../../../domain/canonical-json.js';
import { parityGateName } from '../../../domain/evaluation/gate.js';
import { workflowIds } from '../../../domain/ids.js';
import type { ModelDefinitionInput } from '../../../domain/model/model-definition.js';
import { objectKeys } from '../../../domain/object-keys.js';
import {
  applyDefinition,
  definitionInForce,
  keepDefinition,
  rulesInForce,
} from '../../../db/model/definition-queries.js';
import { snapshotByDigest } from '../../../db/data/partition-queries.js';
import { recordDecision, decisionsOf } from '../../../db/promotion/promotion-queries.js';
import { changeFacts } from '../../support/test-database.js';
import { pollUntil } from '../../support/poll-until.js';
import { registerFirstVersion, registerRunAndVersion } from './registered-version.js';
import { startApi, type TestApi } from './start-api.js';
import { startWorkers, type TestWorkers } from './start-workers.js';

let running: TestApi;
let workers: TestWorkers;
let temporal: TestWorkers['temporal'];
let activities: TestWorkers['activities'];
let floorsFile: string;

beforeAll(async () => {
  running = await startApi({ trust: 'signed' });
  workers = await startWorkers(running, { approver: ['*@example.org'], owner: [] });
  ({ temporal, activities, floorsFile } = workers);
}, 180_000);
afterAll(async () => {
  await workers.stop();
  await running.close();
});

/** A promotion of the first version of a model of its own, waiting for two approvals. */
async function waitingPromotion(policy: ModelDefinitionInput['promotion'] = {}) {
  const { model } = await registerFirstVersion(running, {
    firstVersion: 'approval',
    approvals: { count: 2 },
    ...policy,
  });
  const { workflowId, runId: id } = await startPromotion(temporal, {
    model,
    version: 1,
    environment: 'production',
    requestedBy: 'rita@example.org',
  });
  await untilState(model, 1, 'waiting-for-approval');
  return { model, workflowId, id, end: () => temporal.client.workflow.getHandle(workflowId).terminate() };
}

async function untilState(model: string, version: number, state: string): Promise<void> {
  await pollUntil(`the promotion of version ${version} is ${state}`, 30_000, async () => {
    const {
      items: [found],
    } = await running.api.promotions({ model, version });
    if (found?.state === state) return true;
    throw new Error(`it is ${found?.state ?? 'not there'}: ${found?.reason ?? 'no reason yet'}`);
  });
}

const verify = (promotionId: string) => activities.activities.verifyPromotion({ promotionId });

describe('while only signed decisions are trusted', () => {
  test('an unsigned Update is recorded and answered, never counted; what the CLI sends over the API is signed and counts', async () => {
    const { model, workflowId, id, end } = await waitingPromotion();
    expect(
      await decidePromotion(temporal, workflowId, { decision: 'approve', actor: 'eve@example.org', comment: '' }),
    ).toMatchObject({
      counted: false,
      reason: expect.stringContaining('it is not signed'),
    });
    const approved = await running.perdure('approve', `${model}@1`, '--comment', 'slices look right', '--json');
    expect(approved.code).toBe(0);
    expect(JSON.parse(approved.stdout)).toMatchObject({
      counted: true,
      reason: expect.stringContaining('signed by the control API'),
    });
    const { decisions, requirement } = await running.api.promotion(id);
    expect(decisions).toMatchObject([
      { actor: 'eve@example.org', counted: false, keyId: null },
      { actor: 'ada@example.org', counted: true, keyId: expect.stringMatching(/^[0-9a-f]{16}$/), roles: ['approver'] },
    ]);
    expect(requirement).toMatchObject({
      approvalsNeeded: 2,
      approvalsCounted: 1,
      stillNeeded: [{ count: 1, roles: ['approver'] }],
    });
    await end();
  });

  test('a signature counts for nothing on another promotion, with other words, or on evidence that is not shown', async () => {
    const [first, second] = [await waitingPromotion(), await waitingPromotion()];
    await running.perdure('approve', `${first.model}@1`, '--comment', 'fine');
    const [taken] = await decisionsOf(running.db, first.id);
    const replayed = {
      decision: 'approve' as const,
      actor: 'ada@example.org',
      comment: 'fine',
      signature: taken?.signature ?? '',
    };
    const sent = (workflowId: string, change: object = {}) =>
      decidePromotion(temporal, workflowId, { ...replayed, ...change });
    expect(await sent(second.workflowId)).toMatchObject({
      counted: false,
      reason: expect.stringContaining('another promotion'),
    });
    expect(await sent(first.workflowId, { actor: 'bob@example.org' })).toMatchObject({
      counted: false,
      reason: expect.stringContaining('does not match'),
    });
    expect(await sent(first.workflowId)).toMatchObject({
      counted: false,
      reason: expect.stringContaining('has already approved'),
    });
    const other = await running.perdure(
      'approve',
      `${second.model}@1`,
      '--comment',
      'fine',
      '--evidence',
      '9'.repeat(64),
    );
    expect(other).toMatchObject({ code: 4, stderr: expect.stringContaining('other evidence') });
    await expect(
      running.api.decidePromotion(second.id, { decision: 'approve', actor: 'ada@example.org', comment: 'fine' }),
    ).rejects.toMatchObject({ code: 'input/invalid' });
    await Promise.all([first.end(), second.end()]);
  });

  test('asked for again it is found as it was asked for: further shadows are refused, and never dropped silently', async () => {
    const { model, workflowId, end } = await waitingPromotion();
    const again = { model, version: 1, environment: 'production' as const, requestedBy: 'tom@example.org' };
    expect(await startPromotion(temporal, again)).toMatchObject({ workflowId, attached: true });
    await expect(startPromotion(temporal, { ...again, alsoShadow: [2] })).rejects.toMatchObject({
      code: 'state/conflict',
      message: expect.stringContaining(`perdure withdraw ${model}@1`),
    });
    await end();
  });

  test('a newer candidate ends those that wait before it, unless the policy keeps them; what waits is rejected in one command', async () => {
    const [first, kept] = [await waitingPromotion(), await waitingPromotion({ olderWaiting: 'keep' })];
    for (const { model } of [first, kept]) {
      const { definition } = await definitionInForce(running.db, model);
      const {
        items: [{ artifactSha256 } = { artifactSha256: '' }],
      } = await running.api.versions(model);
      await registerRunAndVersion(running, definition, 2, artifactSha256);
      await startPromotion(temporal, { model, version: 2, environment: 'production', requestedBy: 'rita@example.org' });
      await untilState(model, 2, 'waiting-for-approval');
    }
    await untilState(first.model, 1, 'superseded');
    expect(await running.api.promotion(first.id)).toMatchObject({ reason: 'version 2 was requested after it' });
    expect(await running.api.promotion(kept.id)).toMatchObject({ state: 'waiting-for-approval' });
    const both = await running.perdure('reject', '--all', kept.model, '--comment', 'a bad month', '--json');
    expect(both).toMatchObject({ code: 0 });
    expect(JSON.parse(both.stdout)).toMatchObject({
      items: [{ decision: 'reject', counted: true }, { counted: true }],
      next: null,
    });
    for (const version of [1, 2]) await untilState(kept.model, version, 'rejected');
    expect(await running.perdure('reject', '--all', kept.model, '--comment', 'again')).toMatchObject({ code: 6 });
    expect(await running.perdure('approve', '--all', first.model, '--comment', 'no')).toMatchObject({ code: 2 });
    await temporal.client.workflow.getHandle(workflowIds.promote(first.model, 2, 'production')).terminate();
  });

  test('a decision that was written past the API opens nothing; two signed ones do', async () => {
    const { model, id, end } = await waitingPromotion();
    await running.perdure('approve', `${model}@1`, '--comment', 'fine');
    const { evidenceSha256 } = await running.api.promotion(id);
    const forged = {
      promotionId: id,
      sequence: 99,
      actor: 'mallory@example.org',
      decision: 'approve' as const,
      comment: '',
      via: 'update' as const,
    };
    await recordDecision(running.db, {
      ...forged,
      ...{ roles: ['approver'], counted: true, selfApproved: false, reason: 'approved', at: new Date().toISOString() },
      ...(evidenceSha256 && { evidenceSha256 }),
    });
    expect(await verify(id)).toMatchObject({
      holds: false,
      reason: expect.stringContaining('mallory@example.org: it is not signed'),
    });
    const second = await running.perdure('approve', `${model}@1`, '--comment', 'fine', '--as', 'ben@example.org');
    expect(second.code).toBe(0);
    await pollUntil('it rolls out', 30_000, async () =>
      (await running.api.promotion(id)).state === 'rolling-out' ? true : undefined,
    );
    await end();
    await temporal.client.workflow
      .getHandle(workflowIds.rollout('production', model))
      .terminate()
      .catch(() => undefined);
  });

  test('a version is judged by the applied definition, whatever it was trained by, and by what that asks now', async () => {
    const { model } = await registerFirstVersion(running, { firstVersion: 'approval', approvals: { count: 2 } });
    const { definition } = await rulesInForce(running.db, model);
    const own = { ...definition, promotion: { ...definition.promotion, firstVersion: 'automatic' as const } };
    own.evaluation = { ...own.evaluation, gates: [{ name: 'mine', metric: 'rocAuc', atLeast: 0, minRows: 1 }] };
    const smuggled = await keepDefinition(running.db, own);
    await changeFacts(
      running.ownerUrl,
      (sql) => sql`update versions set definition_sha256 = ${smuggled} where model = ${model}`,
    );
    const request = { model, version: 1, environment: 'production' as const, requestedBy: 'rita@example.org' };
    const { workflowId, runId: id } = await startPromotion(temporal, request);
    const shown = async () => {
      const { state, evidence } = await running.api.promotion(id);
      return state === 'waiting-for-approval' && evidence ? evidence : undefined;
    };
    const evidence = await pollUntil('it waits', 30_000, shown);
    expect(evidence.policy).toMatchObject({ firstVersion: 'approval', approvals: { count: 2 } });
    expect(evidence.gates.map(({ name }) => name)).toEqual([
      parityGateName,
      ...definition.evaluation.gates.slice(0, 3).map(({ name }) => name),
    ]);

    const policy = { ...definition.promotion, approvals: { ...definition.promotion.approvals, count: 3 } };
    await applyDefinition(running.db, { ...definition, promotion: policy }, 'test');
    expect(await verify(id)).toMatchObject({
      holds: false,
      reason: expect.stringContaining('promotion of the applied definition'),
    });
    await temporal.client.workflow.getHandle(workflowId).terminate();

    const [ranks, ...others] = definition.evaluation.gates;
    if (!ranks) throw new Error('the model has no gates');
    await applyDefinition(
      running.db,
      { ...definition, evaluation: { ...definition.evaluation, gates: [{ ...ranks, atLeast: 0.99 }, ...others] } },
      'test',
    );
    const again = await startPromotion(temporal, request);
    await expect(promotionResult(temporal, again.workflowId, again.runId)).rejects.toMatchObject({
      code: 'promotion/refused',
      message: expect.stringContaining(`${ranks.name}: fail`),
    });
    expect(await running.api.promotion(again.runId)).toMatchObject({
      state: 'failed',
      reason: expect.stringContaining('at least 0.99'),
    });
  });

  test('an environment lets in nothing that falls below its floor; a floor that is raised voids what was approved', async () => {
    const { model, id, end } = await waitingPromotion();
    const { evidence } = await running.api.promotion(id);
    expect(evidence).toMatchObject({ floorSha256: expect.stringMatching(/^[0-9a-f]{64}$/) });
    const raised = { approvals: { count: 3 }, strategies: ['ab'], gates: [{ metric: 'rocAuc', atLeast: 0.9 }] };
    await writeFile(floorsFile, JSON.stringify({ staging: raised }));
    expect((await verify(id)).reason).toContain('do not satisfy the policy');
    await writeFile(floorsFile, JSON.stringify({ production: raised }));
    try {
      expect(await verify(id)).toMatchObject({
        holds: false,
        reason: expect.stringContaining('the floor of production has changed'),
      });
      await end();
      const again = await startPromotion(temporal, {
        model,
        version: 1,
        environment: 'production',
        requestedBy: 'rita@example.org',
      });
      const refused = promotionResult(temporal, again.workflowId, again.runId);
      await expect(refused).rejects.toMatchObject({
        code: 'promotion/refused',
        message: expect.stringContaining('promotion.approvals: 2, at least 3'),
      });
      expect(await running.api.promotion(again.runId)).toMatchObject({
        state: 'failed',
        reason: expect.stringContaining('rollout.strategy: canary'),
      });
    } finally {
      await writeFile(floorsFile, '{}');
    }
  });

  test('a version that was tested on a month picked with --until is let in only while that is the newest', async () => {
    const { model, id, end } = await waitingPromotion();
    const { definition } = await rulesInForce(running.db, model);
    const lake = (partition: string) =>
      `${objectKeys.lakeTable(model, definition.data.base)}month=${partition}/part.parquet`;
    const { watermark } = await snapshotByDigest(
      running.db,
      (await running.api.version(model, 1)).lineage.snapshotSha256,
    );
    await running.db.sql`update runs set until = ${watermark} where model = ${model}`;
    await writeFile(floorsFile, JSON.stringify({ production: { newestHoldout: true } }));
    try {
      await end();
      const ask = () =>
        startPromotion(temporal, { model, version: 1, environment: 'production', requestedBy: 'rita@example.org' });
      await running.store.put(lake(watermark), 'x');
      await running.store.put(lake('9999-01'), 'not begun');
      const first = await ask();
      const state = async () => (await running.api.promotion(first.runId)).state;
      await pollUntil('it waits', 30_000, async () => ((await state()) === 'waiting-for-approval' ? true : undefined));
      await running.store.put(lake('2013-11'), 'x');
      expect((await verify(first.runId)).reason).toContain(
        `tested on ${watermark}, chosen with --until, but 2013-11 is available`,
      );
      await temporal.client.workflow.getHandle(first.workflowId).terminate();
      const second = await ask();
      await expect(promotionResult(temporal, second.workflowId, second.runId)).rejects.toMatchObject({
        code: 'promotion/refused',
      });
      await running.db.sql`update runs set until = null where model = ${model}`;
      const third = await ask();
      await pollUntil('it waits', 30_000, async () =>
        (await running.api.promotion(third.runId)).state === 'waiting-for-approval' ? true : undefined,
      );
      await temporal.client.workflow.getHandle(third.workflowId).terminate();
    } finally {
      await writeFile(floorsFile, '{}');
    }
    expect(id).toBeDefined();
  });

  test('evidence holds only while artifact, card and evaluation are what it says', async () => {
    const { model, id, end } = await waitingPromotion();
    const { evidence } = await running.api.promotion(id);
    if (!evidence) throw new Error('no evidence was shown');
    const artifact = objectKeys.artifact(evidence.artifactSha256);
    const card = objectKeys.modelCard(model, 1, 'json');
    for (const [key, word] of [
      [artifact, 'the artifact is now'],
      [card, 'the model card is now'],
      [evidence.evaluationKey, 'the evaluation is now'],
    ] as const) {
      const before = await running.store.get(key);
      await running.store.put(key, canonicalJson({ changed: true }));
      expect((await verify(id)).reason).toContain(word);
      await running.store.put(key, before);
    }
    expect((await verify(id)).reason).toContain('do not satisfy the policy');
    expect(evidence).toMatchObject({ trainedBy: 'tom@example.org', before: null, rollout: { strategy: 'canary' } });
    expect(
      createHash('sha256')
        .update(await running.store.get(artifact))
        .digest('hex'),
    ).toBe(evidence.artifactSha256);
    await end();
  });
});
