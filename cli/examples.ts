/** The examples at the end of a command's help, one a line. */
export function examples(...lines: string[]): string {
  return `\nExamples:\n${lines.map((line) => `  $ perdure ${line}`).join('\n')}`;
}
