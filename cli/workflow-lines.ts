import type { TemporalHandle } from '../client/connect.js';

/** The SDK answers this query for every workflow. */
const metadataQuery = '__temporal_workflow_metadata';

/** What a workflow says in its current details: steps that are done, and the one that goes on. Empty while no worker answers. */
export async function workflowLines(
  { client }: TemporalHandle,
  { workflowId, runId }: { workflowId: string; runId?: string | undefined },
): Promise<string[]> {
  const metadata: unknown = await client.withDeadline(Date.now() + 3_000, () =>
    client.workflow.getHandle(workflowId, runId).query(metadataQuery),
  );
  const details = typeof metadata === 'object' && metadata !== null && 'currentDetails' in metadata ? metadata.currentDetails : undefined;
  return typeof details === 'string' ? linesOfDetails(details) : [];
}

/** Takes the details' Markdown list apart: `- ✓ done`, `- … goes on`, and notes. */
export function linesOfDetails(markdown: string): string[] {
  return markdown.split('\n').flatMap((line) => {
    const said = /^- (.+)$/.exec(line)?.[1];
    if (!said) return [];
    return [said.startsWith('✓ ') || said.startsWith('… ') ? said : `· ${said}`];
  });
}
