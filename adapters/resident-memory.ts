import { readdirSync, readFileSync } from 'node:fs';

/**
 * Resident memory in MiB of one process; 0 when it has just ended, undefined where the system has no `/proc` (macOS).
 */
export function processResidentMb(processId: number): number | undefined {
  return process.platform === 'linux' ? residentKbOf(String(processId)) / 1024 : undefined;
}

/**
 * Resident memory in MB of all processes in a group, or undefined where the system has no `/proc` (macOS). Shared pages
 * count once a process.
 */
export function groupResidentMb(groupId: number): number | undefined {
  if (process.platform !== 'linux') return undefined;
  let residentKb = 0;
  for (const entry of readdirSync('/proc')) {
    if (/^\d+$/.test(entry) && groupOf(entry) === groupId) residentKb += residentKbOf(entry);
  }
  return residentKb / 1024;
}

function groupOf(pid: string): number | undefined {
  const text = readProc(pid, 'stat');
  // The second field is the command in parentheses and may hold anything; the third follows the last parenthesis.
  return text === undefined ? undefined : Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[2]);
}

/**
 * From `status`, which says kB: `stat` counts pages, whose size differs between machines. A process that has just ended
 * has none.
 */
function residentKbOf(pid: string): number {
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(readProc(pid, 'status') ?? '')?.[1] ?? 0);
}

function readProc(pid: string, file: string): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return undefined;
  }
}
