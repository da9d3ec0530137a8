import { Context } from '@temporalio/activity';
import type { Client } from '@temporalio/client';
import { workflowLife } from '../client/workflow-life.js';
import type { LeaseHolder } from '../domain/lease-holder.js';

/** How a workflow ended, in words; null while it runs. Each question is a heartbeat. */
export async function endOfWorkflow(temporal: Client, holder: LeaseHolder): Promise<string | null> {
  Context.current().heartbeat();
  const life = await workflowLife(temporal, holder);
  return life.runs ? null : life.ended;
}
