import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { groupBy } from '../../../domain/group-by.js';

export interface ResidentMemory {
  /** Of each process together with all that descend from it. Shared pages count in each of them. */
  each: Map<number, number>;
  /** Of all of them, each process counted once. */
  all: number;
}

/**
 * What processes and their descendants hold in memory now, in bytes.
 *
 * @param sharesOnly on Linux: of a page that several processes share, each counts its share (`Pss`). It takes about a
 *   millisecond a process.
 */
export function residentMemory(pids: readonly number[], { sharesOnly = false } = {}): ResidentMemory {
  const rows = new Map(processRows(sharesOnly).map((row) => [row.pid, row]));
  const children = groupBy(rows.values(), (row) => row.parent);
  const family = (pid: number): number[] => [pid, ...(children.get(pid) ?? []).flatMap((child) => family(child.pid))];
  const sum = (members: Iterable<number>) =>
    [...members].reduce((bytes, pid) => bytes + (rows.get(pid)?.residentBytes ?? 0), 0);
  const families = new Map(pids.map((pid) => [pid, family(pid)]));
  return {
    each: new Map([...families].map(([pid, members]) => [pid, sum(members)])),
    all: sum(new Set([...families.values()].flat())),
  };
}

interface ProcessRow {
  pid: number;
  parent: number;
  residentBytes: number;
}

function processRows(sharesOnly: boolean): ProcessRow[] {
  if (process.platform === 'linux') return readdirSync('/proc').flatMap((entry) => linuxRow(entry, sharesOnly));
  return execFileSync('ps', ['-axo', 'pid=,ppid=,rss='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => {
      const [pid = 0, parent = 0, residentKib = 0] = line.trim().split(/\s+/).map(Number);
      return { pid, parent, residentBytes: residentKib * 1024 };
    });
}

function linuxRow(entry: string, sharesOnly: boolean): ProcessRow[] {
  if (!/^\d+$/.test(entry)) return [];
  try {
    const status = readFileSync(`/proc/${entry}/status`, 'utf8');
    const number = (text: string, name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(text)?.[1] ?? 0);
    const kib = sharesOnly
      ? number(readFileSync(`/proc/${entry}/smaps_rollup`, 'utf8'), 'Pss')
      : number(status, 'VmRSS');
    return [{ pid: Number(entry), parent: number(status, 'PPid'), residentBytes: kib * 1024 }];
  } catch {
    return []; // It ended while we looked.
  }
}
