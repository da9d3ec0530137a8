/** The part of a zod issue that messages are made of. */
export interface SchemaIssue {
  path: readonly PropertyKey[];
  message: string;
}

/** `evaluation.gates[0].metric`; empty for the value itself. */
export const issuePath = (path: readonly PropertyKey[]): string =>
  path.reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : text ? `${text}.${String(part)}` : String(part)),
    '',
  );

/** All issues in one line, each with its field first. */
export function describeIssues(issues: readonly SchemaIssue[]): string {
  return issues
    .map((issue) => (issue.path.length > 0 ? `${issuePath(issue.path)}: ${issue.message}` : issue.message))
    .join('; ');
}
