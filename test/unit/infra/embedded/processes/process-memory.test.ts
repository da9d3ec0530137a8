import { expect, test } from 'vitest';
import { residentMemory } from '../../../../../infra/embedded/processes/process-memory.js';

test('a process counts with all that descend from it; of all together, each counts once', () => {
  const { each, all } = residentMemory([process.pid, process.ppid]);
  const [own = 0, parents = 0] = [each.get(process.pid), each.get(process.ppid)];
  expect(own).toBeGreaterThan(1024 ** 2);
  expect(parents).toBeGreaterThan(own);
  expect(all).toBe(parents);
});

test.runIf(process.platform === 'linux')('a share of shared pages is less than all of them', () => {
  const of = (sharesOnly: boolean) => residentMemory([process.pid], { sharesOnly }).all;
  expect(of(true)).toBeGreaterThan(1024 ** 2);
  expect(of(true)).toBeLessThan(of(false));
});

test('a process that is gone counts nothing', () => {
  const gone = 2 ** 30;
  expect(residentMemory([gone])).toEqual({ each: new Map([[gone, 0]]), all: 0 });
});
