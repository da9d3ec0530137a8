import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { expect, test } from 'vitest';
import { createContext } from '../../../cli/context.js';
import { createOutput } from '../../../cli/output.js';
import { buildProgram } from '../../../cli/program.js';
import { leafCommands, renderReference } from './render-reference.js';

const file = path.join(import.meta.dirname, '../../../docs/cli.md');
const silent = { write: () => true };
const output = createOutput({ stdout: silent, stderr: silent }, { json: false, env: {} });
const program = () => buildProgram(createContext({ env: {}, output, signal: new AbortController().signal }));

test('docs/cli.md says what the help of the commands says', async () => {
  const written = renderReference(program());
  if (process.env.UPDATE_DOCS) await writeFile(file, written);
  expect(await readFile(file, 'utf8'), 'run UPDATE_DOCS=1 npx vitest run test/unit/cli/cli-docs.test.ts').toBe(written);
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
