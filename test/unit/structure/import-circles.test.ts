import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { projectRoot } from '../docs/documents.js';

const sources = execFileSync('git', ['ls-files', '-co', '--exclude-standard', '*.ts'], {
  cwd: projectRoot,
  encoding: 'utf8',
})
  .split('\n')
  .filter((file) => file !== '' && !file.includes('/generated/') && existsSync(path.join(projectRoot, file)));

/** Types count too: two files that name each other's types cannot be read one after the other. */
function importsOf(file: string): string[] {
  const text = readFileSync(path.join(projectRoot, file), 'utf8');
  return [...text.matchAll(/^(?:import|export)\b[^;]*? from '(\.[^']+)\.js';/gms)].map(([, to = '']) =>
    path.posix.normalize(path.posix.join(path.posix.dirname(file), `${to}.ts`)),
  );
}

/** Tarjan's strongly connected components (SIAM J. Comput. 1, 1972) that have more than one member. */
function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[][] {
  const index = new Map<string, number>();
  const low = new Map<string, number>();
  const open: string[] = [];
  const circles: string[][] = [];
  const visit = (node: string): number => {
    index.set(node, index.size);
    let lowest = index.size - 1;
    open.push(node);
    for (const next of graph.get(node) ?? []) {
      if (!index.has(next)) lowest = Math.min(lowest, visit(next));
      else if (open.includes(next)) lowest = Math.min(lowest, index.get(next) ?? lowest);
    }
    low.set(node, lowest);
    if (lowest === index.get(node)) {
      const members = open.splice(open.indexOf(node));
      if (members.length > 1) circles.push(members.sort());
    }
    return lowest;
  };
  for (const node of graph.keys()) if (!index.has(node)) visit(node);
  return circles;
}

describe('imports', () => {
  const graph = new Map(sources.map((file) => [file, importsOf(file)] as const));

  it('never go round in a circle of files, types included', () => {
    expect(circlesOf(graph)).toEqual([]);
  });

  it('never go round in a circle of folders of the domain', () => {
    // The address that `models/NAME/model.ts` imports composes what is below it.
    const rules = [...graph].filter(([file]) => file.startsWith('domain/') && file !== 'domain/model-definition.ts');
    const folders = new Map<string, string[]>();
    for (const [file, imports] of rules) {
      const folder = path.posix.dirname(file);
      const others = imports.map((to) => path.posix.dirname(to)).filter((to) => to !== folder);
      folders.set(folder, [...(folders.get(folder) ?? []), ...others]);
    }
    expect(circlesOf(folders)).toEqual([]);
  });
});
