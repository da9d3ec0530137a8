/** Who holds a lease: a workflow, by its id and the id of its first run. */
export interface LeaseHolder {
  workflowId: string;
  runId: string;
}

/** Proof of holding a lease: every guarded write names all three. */
export interface LeaseGrant {
  name: string;
  holder: string;
  token: number;
}

export const holderText = ({ workflowId, runId }: LeaseHolder): string => `${workflowId}|${runId}`;

export function parseHolder(text: string): LeaseHolder {
  const cut = text.lastIndexOf('|');
  return { workflowId: text.slice(0, cut), runId: text.slice(cut + 1) };
}
