import { WorkflowExecutionAlreadyStartedError } from '@temporalio/client';
import { digestOf } from '../domain/canonical-json.js';
import { PerdureError } from '../domain/errors.js';
import { workflowIds } from '../domain/ids.js';
import { describeIssues } from '../domain/schema-issue.js';
import { importRequestSchema, type ImportRequest } from '../domain/workflow-inputs.js';
import type { importVersion } from '../workflows/training/import-version.js';
import type { TemporalHandle } from './connect.js';
import type { Started } from './workflow-result.js';

/**
 * Starts the import of a model whose file was sent. Asking for the same again while it runs gives the run that goes on.
 * @throws PerdureError `input/invalid` that names the field.
 */
export async function startImport({ client, config }: TemporalHandle, request: ImportRequest): Promise<Started> {
  const parsed = importRequestSchema.safeParse(request);
  if (!parsed.success) throw new PerdureError('input/invalid', describeIssues(parsed.error.issues));
  const { actor, ...asked } = parsed.data;
  const workflowId = workflowIds.import(asked.model, digestOf(asked));
  try {
    const handle = await client.workflow.start<typeof importVersion>('importVersion', {
      workflowId,
      taskQueue: config.taskQueues.workflows,
      args: [{ ...asked, actor }],
      staticSummary: `import a version of ${asked.model} (${actor})`,
    });
    return { workflowId, runId: handle.firstExecutionRunId, attached: false };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const { runId } = await client.workflow.getHandle(workflowId).describe();
    return { workflowId, runId, attached: true };
  }
}
