import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessUsage {
  /** What the process is, by the file it runs. */
  name: string;
  processId: number;
  cpuSeconds: number;
  residentMb: number;
}

/** Linux counts in hundredths of a second whatever the kernel's own tick. */
const ticksPerSecond = 100;
const pageBytes = 4096;

/** Processor time and memory of a process and all its descendants; empty where there is no `/proc`. */
export function usageOfTree(root: number): ProcessUsage[] {
  const all = processes();
  const family = new Set([root]);
  for (let before = 0; before !== family.size;) {
    before = family.size;
    for (const one of all) if (family.has(one.parent)) family.add(one.usage.processId);
  }
  return all.filter((one) => family.has(one.usage.processId)).map((one) => one.usage);
}

function processes(): { parent: number; usage: ProcessUsage }[] {
  let ids: string[];
  try {
    ids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  } catch {
    return [];
  }
  return ids.flatMap((id) => {
    try {
      const stat = readFileSync(`/proc/${id}/stat`, 'utf8');
      // The name stands in brackets and may hold spaces: count from behind it.
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      const number = (place: number) => Number(fields[place]);
      const program = readFileSync(`/proc/${id}/cmdline`, 'utf8')
        .split('\0')
        .findLast((argument) => /\.m?[jt]s$/.test(argument));
      const usage = {
        name: program?.replace(/^.*\//, '').replace(/\.m?[jt]s$/, '') ?? 'other',
        processId: Number(id),
        cpuSeconds: (number(11) + number(12)) / ticksPerSecond,
        residentMb: (number(21) * pageBytes) / 1024 / 1024,
      };
      return [{ parent: number(1), usage }];
    } catch {
      return []; // It ended meanwhile.
    }
  });
}
