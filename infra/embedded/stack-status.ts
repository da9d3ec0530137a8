import path from 'node:path';
import { loadPerdureConfig, type PerdureConfig } from '../../perdure.config.js';
import type { ComponentState } from './processes/component.js';
import { freeBytes, fullBelowBytes } from './doctor/disk-space.js';
import { diskUse, type DiskUse } from './doctor/disk-use.js';
import { residentMemory } from './processes/process-memory.js';
import { leftovers } from './processes/run-files.js';
import { readStackFile } from './stack-file.js';
import { currentSupervisor, hasSupervisorLock } from './supervision/supervisor-lock.js';

export interface ComponentStatus {
  name: string;
  /** `unsupervised`: it runs, but its supervisor was killed or its files were removed; the next start takes it over. */
  state: ComponentState | 'unsupervised';
  pid: number | undefined;
  address: string | undefined;
  version: string | undefined;
  uptimeMs: number | undefined;
  memoryBytes: number | undefined;
  restarts: number;
  logFile: string | undefined;
  lastError: string | undefined;
}

export interface StackStatus {
  state: 'running' | 'starting' | 'down' | 'unsupervised';
  supervisorPid: number | undefined;
  startedAt: string | undefined;
  components: ComponentStatus[];
  /** All processes of the stack, the supervisor included. */
  memoryBytes: number;
  home: string;
  disk: DiskUse[];
  /** Free bytes of the disk that holds the state. */
  diskFreeBytes: number;
  diskFull: boolean;
  /** What the bootstrap has installed beside the state, shared by all homes of this checkout. */
  toolsFolder: string;
}

/** A status that waits is none: what then is not seen of the state folder is not counted. */
const lookedAtMs = 100;

/**
 * What runs, what it occupies and where its state lives. Reads files and the process table only, so it answers whatever
 * is down.
 */
export async function stackStatus(config: PerdureConfig = loadPerdureConfig()): Promise<StackStatus> {
  const supervisor = currentSupervisor(config.home);
  const file = supervisor ? readStackFile(config.home) : undefined;
  const orphans = file ? [] : leftovers(config.home);
  const filesGone = supervisor !== undefined && !hasSupervisorLock(config.home);
  const pids = [
    ...(file?.components.flatMap(({ pid }) => pid ?? []) ?? []),
    ...orphans.map((orphan) => orphan.process.pid),
  ];
  const memory = residentMemory([...pids, ...(supervisor ? [supervisor.pid] : [])]);
  const free = freeBytes(config.home);
  const supervised = (file?.components ?? []).map((component) => ({
    name: component.name,
    state: component.state,
    pid: component.pid,
    address: component.address,
    version: component.version,
    uptimeMs: component.startedAt ? Date.now() - Date.parse(component.startedAt) : undefined,
    memoryBytes: component.pid === undefined ? undefined : memory.each.get(component.pid),
    restarts: component.restarts,
    logFile: component.logFile,
    lastError: component.lastError,
  }));
  const unsupervised = orphans.map(({ name, process: { pid } }) => ({
    name,
    state: 'unsupervised' as const,
    pid,
    address: undefined,
    version: undefined,
    uptimeMs: undefined,
    memoryBytes: memory.each.get(pid),
    restarts: 0,
    logFile: undefined,
    lastError: undefined,
  }));
  return {
    state:
      supervisor && !filesGone ? (file?.ready ? 'running' : 'starting') : orphans.length > 0 ? 'unsupervised' : 'down',
    supervisorPid: supervisor?.pid,
    startedAt: file?.startedAt,
    components: [...supervised, ...unsupervised],
    memoryBytes: memory.all,
    home: config.home,
    disk: await diskUse(config.home, lookedAtMs),
    diskFreeBytes: free,
    diskFull: free < fullBelowBytes,
    toolsFolder: path.join(config.projectRoot, '.tools'),
  };
}
