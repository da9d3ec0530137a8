import { Client, Connection, type ConnectionOptions } from '@temporalio/client';
import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import { z } from 'zod';

const reportSchema = z.object({
  /** How many histories were replayed. */
  replayed: z.number(),
  /** False when there were more than could be replayed in the time. */
  isWhole: z.boolean(),
  stuck: z.array(z.object({ workflowId: z.string(), reason: z.string() })),
});
export type ReplayReport = z.infer<typeof reportSchema>;

const patienceMs = 120_000;

export interface ReplayPlace {
  projectRoot: string;
  /** Of the stack: its processes find Temporal by it. */
  env: NodeJS.ProcessEnv;
  temporal: ConnectionOptions;
  namespace: string;
}

/**
 * Whether the workflows that are open now would go on with the code of this checkout; nothing is changed. A process of
 * its own replays them, since it loads the worker's code.
 */
export async function replayOpenWorkflows({
  projectRoot,
  env,
  temporal,
  namespace,
}: ReplayPlace): Promise<ReplayReport> {
  if ((await openWorkflows(temporal, namespace)) === 0) return { replayed: 0, isWhole: true, stuck: [] };
  const program = path.join(projectRoot, 'workers', 'replay-open-workflows.ts');
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', import.meta.resolve('tsx'), program], {
    ...{ cwd: projectRoot, env, timeout: patienceMs, maxBuffer: 16 * 1024 ** 2 },
  });
  return reportSchema.parse(JSON.parse(stdout.trim().split('\n').at(-1) ?? ''));
}

async function openWorkflows(options: ConnectionOptions, namespace: string): Promise<number> {
  const connection = await Connection.connect({ ...options, connectTimeout: 5_000 });
  try {
    const { count } = await new Client({ connection, namespace }).workflow.count(`ExecutionStatus = 'Running'`);
    return count;
  } finally {
    await connection.close();
  }
}

/** What a person is told; undefined when all go on. */
export function stuckText({ stuck }: ReplayReport): string | undefined {
  if (stuck.length === 0) return undefined;
  const shown = stuck.slice(0, 5).map(({ workflowId, reason }) => `${workflowId} (${reason.split('\n')[0]})`);
  const more = stuck.length > shown.length ? `, and ${stuck.length - shown.length} more` : '';
  return (
    `${stuck.length} open workflow(s) cannot continue with this code: ${shown.join(', ')}${more}. Return ` +
    'to the code that started them until they have ended, or terminate them in the Temporal UI and start ' +
    'them again'
  );
}
