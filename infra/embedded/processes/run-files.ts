import { runFileSchema, type RunFile } from './run-file-schema.js';
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { markedProcesses } from './component-mark.js';
import { endProcess, isAlive } from './end-process.js';
import { writeStateFile } from '../state-file.js';

/** Written at once after the start of a process, synchronously, so that a killed supervisor leaves no unknown child. */
export function writeRunFile(home: string, entry: RunFile): void {
  writeStateFile(runFilePath(home, entry.name), JSON.stringify(entry));
}

export function removeRunFile(home: string, name: string): void {
  rmSync(runFilePath(home, name), { force: true });
}

export function readRunFiles(home: string): RunFile[] {
  const folder = path.join(home, 'run', 'components');
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((file) => file.endsWith('.json'))
    .flatMap((file) => {
      try {
        return [runFileSchema.parse(JSON.parse(readFileSync(path.join(folder, file), 'utf8')))];
      } catch {
        return []; // Half written by a process that was killed: nothing in it can be trusted.
      }
    });
}

/** Components of this home that run, by its files and, where these are gone, by the mark that they carry. */
export function leftovers(home: string): RunFile[] {
  const known = readRunFiles(home).filter((entry) => isAlive(entry.process));
  const pids = new Set(known.map((entry) => entry.process.pid));
  return [...known, ...markedProcesses(home).filter((entry) => !pids.has(entry.process.pid))];
}

/**
 * Ends what has no supervisor: the Node processes first, then the servers that they use. Answers the names of what was
 * ended.
 */
export async function endLeftovers(
  home: string,
  isServer: (name: string) => boolean,
  isWanted: (name: string) => boolean = () => true,
): Promise<string[]> {
  const left = leftovers(home).filter((entry) => isWanted(entry.name));
  for (const tier of [left.filter((entry) => !isServer(entry.name)), left.filter((entry) => isServer(entry.name))]) {
    await Promise.all(tier.map((entry) => endProcess(entry.process, entry.stopSignal, entry.graceMs)));
  }
  for (const entry of readRunFiles(home)) if (!isAlive(entry.process)) removeRunFile(home, entry.name);
  return left.map((entry) => entry.name);
}

function runFilePath(home: string, name: string): string {
  return path.join(home, 'run', 'components', `${name}.json`);
}
