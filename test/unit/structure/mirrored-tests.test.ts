import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';

const projectRoot = path.resolve(import.meta.dirname, '../../..');
const unitTests = path.join(projectRoot, 'test', 'unit');
/** About all sources, all documents, and what the fault drills are made of. */
const ofTheWhole = ['structure', 'docs', 'faults'];

const files = readdirSync(unitTests, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.test.ts'));

/** `domain/lease.test.ts`, or `domain/lease-topic.test.ts`, is about `domain/lease-holder.ts`. */
function namesItsSource(file: string): boolean {
  const words = file.replace(/\.test\.ts$/, '').split('-');
  const names = words.map((_, index) => words.slice(0, index + 1).join('-'));
  return names.some((name) => ['.ts', '.mjs'].some((ending) => existsSync(path.join(projectRoot, name + ending))));
}

/** A test of several sources of one folder imports them from there. */
function importsItsFolder(file: string): boolean {
  const imports = readFileSync(path.join(unitTests, file), 'utf8').matchAll(/from '(\.[^']+)'/g);
  const folder = path.join(projectRoot, path.dirname(file));
  return [...imports].some(
    ([, target = '']) => path.dirname(path.join(unitTests, path.dirname(file), target)) === folder,
  );
}

it('a unit test stands where its source stands, and bears its name', () => {
  const astray = files
    .filter((file) => !ofTheWhole.includes(file.split(path.sep)[0] ?? ''))
    .filter((file) => !namesItsSource(file) && !importsItsFolder(file));
  expect(files.length).toBeGreaterThan(50);
  expect(astray, 'move them under test/unit to the path of the source that they test').toEqual([]);
});
