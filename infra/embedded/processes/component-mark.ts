import { readdirSync, readFileSync } from 'node:fs';
import { z } from 'zod';
import { componentVariable } from '../../../adapters/process-lifecycle.js';
import { identify } from './end-process.js';
import type { RunFile } from './run-file-schema.js';

const markSchema = z.object({
  home: z.string(),
  name: z.string(),
  stopSignal: z.enum(['SIGTERM', 'SIGINT']),
  graceMs: z.number().int().positive(),
  adoptAs: z.string().optional(),
});

/**
 * What every process of a stack carries in its environment, so that it is found although the files of its state are
 * gone.
 */
export type ComponentMark = z.infer<typeof markSchema>;

export function withMark(environment: NodeJS.ProcessEnv, mark: ComponentMark): NodeJS.ProcessEnv {
  return { ...environment, [componentVariable]: JSON.stringify(mark) };
}

/** The mark of a living process, as far as this user may see it. */
export function markOf(pid: number): ComponentMark | undefined {
  const prefix = `${componentVariable}=`;
  try {
    const entry = readFileSync(`/proc/${pid}/environ`, 'utf8')
      .split('\0')
      .find((one) => one.startsWith(prefix));
    return entry === undefined ? undefined : markSchema.parse(JSON.parse(entry.slice(prefix.length)));
  } catch {
    return undefined; // Ended, another user's, or not Linux.
  }
}

/**
 * Processes that carry a mark of this home and lead their group; what they started ends with the group. Empty where the
 * system shows no environments.
 */
export function markedProcesses(home: string): RunFile[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc').flatMap((entry) => {
    const pid = Number(entry);
    const mark = Number.isInteger(pid) ? markOf(pid) : undefined;
    if (mark?.home !== home || !leadsGroup(pid)) return [];
    const identity = identify(pid);
    return identity ? [{ ...mark, process: identity }] : [];
  });
}

function leadsGroup(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2]) === pid;
  } catch {
    return false;
  }
}
