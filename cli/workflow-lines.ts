import type { TemporalHandle } from '../client/connect.js';

/** The SDK answers this query for every workflow. */
const metadataQuery = '__temporal_workflow_metadata';

/**
 * What a workflow says in its current details, steps that are done and the one that goes on, and what it does not get
 * over.
 */
export async function workflowLines(
  { client }: TemporalHandle,
  { workflowId, runId }: { workflowId: string; runId?: string | undefined },
): Promise<string[]> {
  // Temporal's client is large, and most commands need none.
  const { whyStuck } = await import('../client/stuck-workflows.js');
  const said = client
    .withDeadline(Date.now() + 3_000, () => client.workflow.getHandle(workflowId, runId).query<unknown>(metadataQuery))
    .catch(() => undefined); // No worker answers.
  const [metadata, stuck] = await Promise.all([said, whyStuck(client, workflowId)]);
  const details =
    typeof metadata === 'object' && metadata !== null && 'currentDetails' in metadata
      ? metadata.currentDetails
      : undefined;
  // Without the attempt, which rises at each look: a line is printed once.
  const troubles = stuck.map(({ what, lastFailure, remedy }) => `! ${what} keeps failing: ${lastFailure} ${remedy}`);
  return [...(typeof details === 'string' ? linesOfDetails(details) : []), ...troubles];
}

/** Takes the details' Markdown list apart: `- ✓ done`, `- … goes on`, and notes. */
export function linesOfDetails(markdown: string): string[] {
  return markdown.split('\n').flatMap((line) => {
    const said = /^- (.+)$/.exec(line)?.[1];
    if (!said) return [];
    return [said.startsWith('✓ ') || said.startsWith('… ') ? said : `· ${said}`];
  });
}
