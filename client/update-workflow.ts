import type { Client } from '@temporalio/client';
import type { UpdateDefinition } from '@temporalio/common';
import { unlessStuck } from './stuck-workflows.js';

/** The workflow that is told something; only its chain that began with `runId`, where one is given. */
export interface Addressee {
  workflowId: string;
  runId?: string | undefined;
  withinMs?: number | undefined;
}

/** Sends an Update, and waits for its answer while the workflow gets on. */
export function updateWorkflow<Answer, Said>(
  client: Client,
  { workflowId, runId, withinMs }: Addressee,
  update: UpdateDefinition<Answer, [Said]>,
  said: Said,
): Promise<Answer> {
  const chain = runId === undefined ? {} : { firstExecutionRunId: runId };
  const handle = client.workflow.getHandle(workflowId, undefined, chain);
  const send = () => handle.executeUpdate(update, { args: [said] });
  return unlessStuck(
    client,
    workflowId,
    withinMs === undefined ? send() : client.withDeadline(Date.now() + withinMs, send),
  );
}
