import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Command } from 'commander';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { createContext } from '../../../cli/context.js';
import { createOutput } from '../../../cli/output.js';
import { everyGroup } from '../../../cli/command-groups.js';
import { buildProgram } from '../../../cli/program.js';
import { documents, projectRoot } from './documents.js';

const program = buildProgram(
  createContext({
    env: {},
    output: createOutput(process, { json: false, env: {} }),
    signal: new AbortController().signal,
  }),
  await everyGroup(),
);

/** What is wrong with a command line of `perdure`, or undefined. */
function problem(words: readonly string[]): string | undefined {
  let command: Command = program;
  let rest = [...words];
  for (;;) {
    const next = command.commands.find((one) => one.name() === rest[0]);
    if (!next) break;
    command = next;
    rest = rest.slice(1);
  }
  if (command === program && rest[0]?.startsWith('-') !== true) return `no command ${rest[0] ?? ''}`;
  if (command.commands.length > 0 && rest[0] !== undefined && !rest[0].startsWith('-'))
    return `${command.name()} has no ${rest[0]}`;
  const known = new Set(
    [program, command].flatMap((one) => one.options.flatMap((option) => [option.long, option.short])),
  );
  const unknown = rest
    .filter((word) => word.startsWith('--') && word !== '--help')
    .find((word) => !known.has(word.split('=')[0]));
  return unknown && `${command.name()} has no option ${unknown}`;
}

const withoutQuoted = (text: string) => text.replace(/"[^"]*"/g, 'TEXT');

test.each(documents.filter(({ file }) => file !== 'docs/cli.md'))(
  'every perdure command in $file exists, with its options',
  ({ text }) => {
    const lines = [...text.matchAll(/npx perdure ([^`#\n|;]+)/g)].map((match) => match[1] ?? '');
    const wrong = lines
      .map((line) => ({ line, wrong: problem(withoutQuoted(line).trim().split(/\s+/)) }))
      .filter((one) => one.wrong !== undefined && one.line.trim() !== '…');
    expect(wrong).toEqual([]);
  },
);

test('every npm script that a document names is in package.json', () => {
  const packageSchema = z.object({ scripts: z.record(z.string(), z.string()) });
  const { scripts } = packageSchema.parse(JSON.parse(readFileSync(path.join(projectRoot, 'package.json'), 'utf8')));
  const named = documents.flatMap(({ text }) =>
    [...text.matchAll(/\bnpm (?:run ([\w:]+)|(start|test)\b)/g)].map((match) => match[1] ?? match[2] ?? ''),
  );
  expect(named).toContain('start');
  expect(named.filter((name) => !(name in scripts))).toEqual([]);
});

test('every program of the checkout that a document runs is there', () => {
  const files = documents.flatMap(({ text }) =>
    [...text.matchAll(/(?:--import tsx|bin\/python) ((?:examples|models|workers|cli)\/\S+\.(?:ts|mts|py))/g)].map(
      (match) => match[1] ?? '',
    ),
  );
  expect(files.length).toBeGreaterThan(3);
  expect(files.filter((file) => !existsSync(path.join(projectRoot, file)))).toEqual([]);
});

test('a command, a subcommand or an option that does not exist would be found', () => {
  expect(problem(['tarin', 'flight-delay'])).toBe('no command tarin');
  expect(problem(['data', 'putt', 'flight-delay'])).toBe('data has no putt');
  expect(problem(['train', 'flight-delay', '--untl', '2013-04'])).toBe('train has no option --untl');
  expect(problem(['train', 'flight-delay', '--until', '2013-04', '--json'])).toBeUndefined();
});
