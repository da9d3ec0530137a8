import { execFileSync } from 'node:child_process';

/** A process and all that it started, itself first. A server's children stop only when they are stopped themselves. */
function treeOf(root: number): number[] {
  const children = new Map<number, number[]>();
  for (const line of execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')) {
    const [pid = 0, parent = 0] = line.trim().split(/\s+/).map(Number);
    children.set(parent, [...(children.get(parent) ?? []), pid]);
  }
  const found = [root];
  for (let at = 0; at < found.length; at += 1) found.push(...(children.get(found[at] ?? 0) ?? []));
  return found;
}

/**
 * Stops a process and its children where they stand. Returns what lets them go on; children that ended meanwhile are
 * passed over.
 * @throws an Error when the root has ended.
 */
export function stopTree(root: number): () => void {
  const stopped: number[] = [];
  // What a process starts between the listing and the signal is found by listing again.
  for (let listed = treeOf(root); listed.length > stopped.length; listed = treeOf(root)) {
    for (const pid of listed.filter((one) => !stopped.includes(one))) {
      stopped.push(pid);
      if (!signal(pid, 'SIGSTOP') && pid === root) throw new Error(`process ${root} ended before it could be stopped`);
    }
  }
  return () => {
    for (const pid of stopped) signal(pid, 'SIGCONT');
  };
}

/** False when it has ended. */
function signal(pid: number, name: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, name);
  } catch {
    return false;
  }
}
