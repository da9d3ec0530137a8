import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { markOf } from './component-mark.js';

export interface PortOwner {
  pid: number;
  command: string;
  /** The state folder of the stack that it is a component of. */
  home?: string | undefined;
}

export function describeOwner(owner: PortOwner | undefined): string {
  if (!owner) return 'another process';
  return `${owner.command} (process ${owner.pid}${owner.home === undefined ? '' : `, of the stack in ${owner.home}`})`;
}

/**
 * Who listens on a TCP port, as far as this user may see it. Only for messages: undefined when the system does not
 * tell.
 */
export function portOwner(port: number): PortOwner | undefined {
  try {
    return process.platform === 'linux' ? linuxPortOwner(port) : lsofPortOwner(port);
  } catch {
    return undefined;
  }
}

function linuxPortOwner(port: number): PortOwner | undefined {
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  const listening = '0A';
  const inodes = new Set<string>();
  for (const table of ['/proc/net/tcp', '/proc/net/tcp6']) {
    for (const line of readFileSync(table, 'utf8').split('\n').slice(1)) {
      const fields = line.trim().split(/\s+/);
      if (fields[1]?.endsWith(`:${hexPort}`) && fields[3] === listening && fields[9])
        inodes.add(`socket:[${fields[9]}]`);
    }
  }
  if (inodes.size === 0) return undefined;
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (Number.isInteger(pid) && holdsSocket(pid, inodes)) {
      return { pid, command: readFileSync(`/proc/${pid}/comm`, 'utf8').trim(), home: markOf(pid)?.home };
    }
  }
  return undefined;
}

function holdsSocket(pid: number, inodes: ReadonlySet<string>): boolean {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).some((descriptor) => {
      try {
        return inodes.has(readlinkSync(`${folder}/${descriptor}`));
      } catch {
        return false;
      }
    });
  } catch {
    return false; // Another user's process.
  }
}

function lsofPortOwner(port: number): PortOwner | undefined {
  const output = execFileSync('lsof', ['-nP', `-iTCP:${port}`, '-sTCP:LISTEN', '-Fpc'], {
    encoding: 'utf8',
    stdio: 'pipe',
  });
  const pid = /^p(\d+)$/m.exec(output)?.[1];
  const command = /^c(.+)$/m.exec(output)?.[1];
  return pid && command ? { pid: Number(pid), command } : undefined;
}
