import type { Command } from 'commander';

/** Every command that does something, by its full name. */
export function leafCommands(command: Command, path = command.name()): { path: string; command: Command }[] {
  const children = command.commands.filter((child) => child.name() !== 'help');
  if (children.length === 0) return [{ path, command }];
  return children.flatMap((child) => leafCommands(child, `${path} ${child.name()}`));
}

/** `docs/cli.md`, as the program describes itself. */
export function renderReference(program: Command): string {
  const sections = leafCommands(program).map(
    ({ path, command }) => '## ' + `${path}\n\n\`\`\`text\n${helpOf(command)}\n\`\`\``,
  );
  const intro = [
    '# The command line',
    'Written from the help of the commands: `UPDATE_DOCS=1 npx vitest run test/unit/cli/cli-docs.test.ts` ' +
      'writes it again, and a test compares the two.',
    'Every command takes `--json` (one JSON document on standard output and nothing else; an error is ' +
      '`{"error": {"code", "message", "details"}}`) and `--as NAME` (who acts; else `PERDURE_ACTOR`, else ' +
      'the user of this machine). Progress and errors go to standard error. Times are printed in the local ' +
      'zone with its offset, in JSON as ISO 8601 in UTC.',
    'Exit codes: 0 done · 1 unexpected · 2 usage · 3 a gate did not pass · 4 rejected or expired · 5 rolled ' +
      'back · 6 not found · 7 a server is unreachable · 130 interrupted. [errors.md](errors.md) lists every ' +
      'error with its code. Ctrl-C ends waiting, never what was started.',
  ];
  return `${[...intro, ...sections].join('\n\n')}\n`;
}

function helpOf(command: Command): string {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part) });
  command.outputHelp();
  const withoutGlobals = text
    .replace(/Global Options:\n(?: {2}.*\n)+\n?/, '')
    .replace(/ {2}-h, --help.*\n/, '')
    .replace(/Options:\n\n/, '');
  return withoutGlobals.trim();
}
