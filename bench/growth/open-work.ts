import type postgres from 'postgres';
import type { Client } from '@temporalio/client';
import * as schema from '../../db/schema/index.js';
import { workflowIds } from '../../domain/ids.js';
import { copyRows } from './copy-rows.js';
import { stagesOfCanary } from './copy-lives.js';
import { modelName, type GrowthShape } from './shape.js';

/** Nobody polls it: what is started here waits, as promotions wait for people. */
const taskQueue = 'growth-nobody';

export interface OpenWork {
  /** A rollout whose first stage is as old as everything else. */
  rollout: { rolloutId: string; environment: 'production'; model: string; stage: 0; epoch: number };
  promotion: string;
  end(): Promise<void>;
}

/**
 * What is going on after all that time: one promotion of ten models waits for a person, and one canary is as old as the
 * whole. Each has a workflow that runs, or the reconciler would close it.
 */
export async function openWork(sql: postgres.Sql, client: Client, shape: GrowthShape): Promise<OpenWork> {
  const version = shape.versions;
  const started: { terminate(reason: string): Promise<unknown> }[] = [];
  const begin = async (type: string, workflowId: string) => {
    const handle = await client.workflow.start(type, { taskQueue, workflowId, args: [] });
    started.push(handle);
    return handle.firstExecutionRunId;
  };
  let promotion = '';
  for (let number = 1; number <= Math.ceil(shape.models / 10); number += 1) {
    const model = modelName(shape, number);
    promotion = await begin('promoteModel', `${workflowIds.promote(model, version, 'production')}-open`);
    await copyRows(
      sql,
      schema.promotions,
      `where s.model = '${model}' and s.version = ${version} and s.environment = 'production'`,
      {
        ...{
          id: `'${promotion}'`,
          state: `'waiting-for-approval'`,
          closed_at: 'null',
          reason: 'null',
          requested_at: 'now()',
        },
        workflow_id: `'${workflowIds.promote(model, version, 'production')}-open'`,
      },
    );
  }
  const model = modelName(shape, 1);
  const rolloutId = await begin('rolloutModel', workflowIds.rollout('production', model));
  const epoch = 1 + stagesOfCanary * (version - 2) + 1;
  const lastRollout = `s.model = '${model}' and s.environment = 'production' and s.challenger = ${version}`;
  await copyRows(sql, schema.rollouts, `where ${lastRollout}`, {
    ...{ id: `'${rolloutId}'`, promotion_id: `'${promotion}'`, state: `'running'`, step: '0', finished_at: 'null' },
    started_at: `timestamptz '${shape.from.toISOString()}'`,
  });
  const hundredTimes = `join rollouts r on r.id = s.rollout_id join generate_series(1, 100) n on s.look = 1
    where r.model = '${model}' and r.environment = 'production' and r.challenger = ${version}
    and r.id <> '${rolloutId}'`;
  const looked = { rollout_id: `'${rolloutId}'`, look: 'n' };
  await copyRows(sql, schema.rolloutLooks, hundredTimes, { ...looked, step: '0' });
  await copyRows(sql, schema.lookInputs, hundredTimes, looked);
  for (const [of, share] of [
    [version, 0.05],
    [version - 1, 0.95],
  ] as const)
    await sql.unsafe(`insert into serving_rollups select environment, model, ${of}, ${epoch}, role, cold, grain,
      bucket, "from", "to",
        ceil(requests * ${share}), errors, latency, scores
      from serving_rollups where model = '${model}' and environment = 'production' on conflict do nothing`);
  for (const of of [version, version - 1])
    await sql.unsafe(`insert into serving_totals select environment, model, ${of}, ${epoch}, role, cold, "from",
      "to", requests, errors, latency, scores
      from serving_totals where model = '${model}' and environment = 'production' order by epoch limit 1
      on conflict do nothing`);
  return {
    rollout: { rolloutId, environment: 'production', model, stage: 0, epoch },
    promotion,
    end: async () => void (await Promise.all(started.map((handle) => handle.terminate('the bench is over')))),
  };
}
