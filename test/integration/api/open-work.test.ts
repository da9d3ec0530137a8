import { randomUUID } from 'node:crypto';
import { eq } from 'drizzle-orm';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openWorkSchema } from '../../../client/http/open-work.js';
import { applyDefinition } from '../../../db/model/definition-queries.js';
import { runs } from '../../../db/schema/index.js';
import { definitionDigest } from '../../../domain/model/model-definition.js';
import { activityQueues } from '../../../domain/task-queues.js';
import { eventually } from '../../support/poll-until.js';
import { ownDefinition, startApi, type TestApi } from './start-api.js';

let running: TestApi;
beforeAll(async () => {
  running = await startApi();
}, 60_000);
afterAll(() => running.close());

const stackWork = async () => openWorkSchema.parse((await running.app.inject('/api/v1/stack/work')).json());

it('GET /stack/work says how deep each queue is, and names a row that is open without a workflow until it is closed', async () => {
  const definition = ownDefinition();
  await applyDefinition(running.db, definition, 'test');
  const id = randomUUID();
  const workflowId = `train/${definition.name}/person-${id}`;
  await running.db.orm.insert(runs).values({
    ...{ id, workflowId, model: definition.name, definitionSha256: definitionDigest(definition) },
    ...{ cause: { kind: 'person' as const, id, actor: 'test' }, startedAt: new Date() },
  });

  const found = await eventually('the row is named', async () => {
    const work = await stackWork();
    return work.troubles.some(({ name }) => name === workflowId) && work;
  });
  expect(found.troubles).toContainEqual({
    ...{ name: workflowId, outcome: 'note', finding: expect.stringContaining('recorded as open') as string },
    remedy: 'The reconciler closes it within a minute.',
  });
  expect(found.troubles.every(({ outcome }) => outcome !== 'ok')).toBe(true);
  expect(found.waiting?.queues.map(({ queue }) => queue).toSorted()).toEqual(
    ['workflows', ...activityQueues].toSorted(),
  );
  expect(Date.parse(found.asOf ?? '')).toBeLessThanOrEqual(Date.now());

  await running.db.orm.update(runs).set({ finishedAt: new Date(), outcome: 'failed' }).where(eq(runs.id, id));
  const after = await eventually('the row is named no more', async () => {
    const work = await stackWork();
    return !work.troubles.some(({ name }) => name === workflowId) && work;
  });
  expect(Date.parse(after.asOf ?? '')).toBeGreaterThan(Date.parse(found.asOf ?? ''));
});
