import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { createContext } from '../../../cli/context.js';
import { createOutput } from '../../../cli/output.js';
import { commandGroups, everyGroup, groupsOf } from '../../../cli/command-groups.js';
import { buildProgram } from '../../../cli/program.js';
import { leafCommands, renderReference } from './render-reference.js';

const file = path.join(import.meta.dirname, '../../../docs/cli.md');
const silent = { write: () => true };
const output = createOutput({ stdout: silent, stderr: silent }, { json: false, env: {} });
const context = createContext({ env: {}, output, signal: new AbortController().signal });
const groups = await everyGroup();
const program = () => buildProgram(context, groups);

test('docs/cli.md says what the help of the commands says', async () => {
  const written = renderReference(program());
  if (process.env.UPDATE_DOCS) await writeFile(file, written);
  expect(await readFile(file, 'utf8'), 'run UPDATE_DOCS=1 npx vitest run test/unit/cli/cli-docs.test.ts').toBe(written);
});

test('each group adds the commands that it is listed with, in the order of the help', async () => {
  for (const { commands, load } of commandGroups) {
    const added = buildProgram(context, [await load()]).commands.map((command) => command.name());
    expect(added).toEqual(commands);
  }
});

test('a command line loads the group that it names; what is no command loads all, so that help and errors know them', async () => {
  expect(await groupsOf(['runs', 'ls', '--json'])).toHaveLength(1);
  expect(await groupsOf(['--as', 'runs', 'versions', 'ls', 'm'])).toHaveLength(2);
  for (const argv of [[], ['--help'], ['help', 'runs'], ['rnus', 'ls']])
    expect(await groupsOf(argv)).toHaveLength(commandGroups.length);
});

test('every command is described and shows examples', () => {
  for (const { path: name, command } of leafCommands(program())) {
    let help = '';
    command.configureOutput({ writeOut: (part) => (help += part) });
    command.outputHelp();
    expect(command.description(), name).not.toBe('');
    expect(help, name).toContain(`Examples:\n  $ ${name}`);
  }
});

test('the commands promised to users are there', () => {
  const groups: Record<string, string> = {
    data: 'put ls',
    quarantine: 'ls release discard',
    runs: 'ls show',
    versions: 'ls show',
    promotions: 'ls show',
    rollout: 'status pause resume advance abort',
    routes: 'ls show',
    labels: 'import',
  };
  const single = 'up down status doctor apply train promote approve reject withdraw rollback predict'.split(' ');
  const promised = [
    ...single,
    ...Object.entries(groups).flatMap(([group, words]) => words.split(' ').map((word) => `${group} ${word}`)),
  ];
  const names = leafCommands(program()).map(({ path: name }) => name.replace('perdure ', ''));
  expect(names).toEqual(expect.arrayContaining(promised));
});
