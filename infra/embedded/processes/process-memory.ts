import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

/** Resident memory of the given processes and all that descend from them, each counted once. */
export function residentMemoryOfAll(pids: readonly number[]): number {
  const rows = processRows();
  const wanted = new Set(pids);
  for (let before = -1; before !== wanted.size;) {
    before = wanted.size;
    for (const row of rows) if (wanted.has(row.parent)) wanted.add(row.pid);
  }
  return rows.reduce((sum, row) => sum + (wanted.has(row.pid) ? row.residentBytes : 0), 0);
}

interface ProcessRow {
  pid: number;
  parent: number;
  residentBytes: number;
}

/**
 * Resident memory of each given process together with all that descend from it, in bytes. Shared pages count in each of
 * them.
 */
export function residentMemory(pids: readonly number[]): Map<number, number> {
  const rows = processRows();
  const children = new Map<number, ProcessRow[]>();
  for (const row of rows) children.set(row.parent, [...(children.get(row.parent) ?? []), row]);
  const own = new Map(rows.map((row) => [row.pid, row.residentBytes]));
  const total = (pid: number): number =>
    (own.get(pid) ?? 0) + (children.get(pid) ?? []).reduce((sum, child) => sum + total(child.pid), 0);
  return new Map(pids.map((pid) => [pid, total(pid)]));
}

function processRows(): ProcessRow[] {
  if (process.platform === 'linux') return readdirSync('/proc').flatMap(linuxRow);
  return execFileSync('ps', ['-axo', 'pid=,ppid=,rss='], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((line) => {
      const [pid = 0, parent = 0, residentKib = 0] = line.trim().split(/\s+/).map(Number);
      return { pid, parent, residentBytes: residentKib * 1024 };
    });
}

function linuxRow(entry: string): ProcessRow[] {
  if (!/^\d+$/.test(entry)) return [];
  try {
    const status = readFileSync(`/proc/${entry}/status`, 'utf8');
    const number = (name: string) => Number(new RegExp(`^${name}:\\s+(\\d+)`, 'm').exec(status)?.[1] ?? 0);
    return [{ pid: Number(entry), parent: number('PPid'), residentBytes: number('VmRSS') * 1024 }];
  } catch {
    return []; // It ended while we looked.
  }
}
