import {
  linkSync,
  mkdirSync,
  openSync,
  closeSync,
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { PerdureError, messageOf } from '../../../domain/errors.js';
import { identify, isAlive, processIdentitySchema, type ProcessIdentity } from '../processes/end-process.js';

export interface SupervisorLock {
  release(): void;
  /** Puts the lock's file back when somebody has removed it. Never throws. */
  keep(): void;
}

/**
 * Takes the one place of supervisor of a home. Each holder writes a file of its own, numbered one above the last: of
 * two that follow the same dead holder, one wins, and nobody ever removes the file of a living one.
 * @throws PerdureError `state/conflict` when another living process holds it.
 */
export function takeSupervisorLock(home: string): SupervisorLock {
  const self = identify(process.pid);
  if (!self)
    throw new PerdureError(
      'environment/broken',
      'Cannot tell when a process started on this system. Mount /proc, or install ps.',
    );
  const folder = lockFolder(home);
  const candidate = path.join(folder, `supervisor.${process.pid}.new`);
  try {
    mkdirSync(folder, { recursive: true });
    writeFileSync(candidate, JSON.stringify(self));
    for (let attempt = 0; attempt < 20; attempt += 1) {
      // The number first: who takes the place after it was read either is found below, or has taken the number.
      const generation = (newestLock(home)?.generation ?? 0) + 1;
      const holder = currentSupervisor(home);
      if (holder) throw held(home, holder);
      const file = lockFile(home, generation);
      try {
        linkSync(candidate, file); // Fails when the name is taken: one winner, and never a half-written file.
      } catch (error) {
        if (existsSync(file)) continue;
        throw error;
      }
      for (const older of lockFiles(home)) if (older.generation < generation) rmSync(older.file, { force: true });
      return hold(file, self);
    }
  } catch (error) {
    if (error instanceof PerdureError) throw error;
    const why = messageOf(error);
    throw new PerdureError(
      'environment/broken',
      `The state folder ${home} cannot be written: ${why}. Check its owner and its free space.`,
    );
  } finally {
    rmSync(candidate, { force: true });
  }
  throw new PerdureError(
    'environment/broken',
    `${folder} keeps changing. Stop whatever else starts this stack, and start again.`,
  );
}

/** The file stays open: on Linux that tells who supervises a home whose files were removed. */
function hold(file: string, self: ProcessIdentity): SupervisorLock {
  const descriptor = openSync(file, 'r');
  return {
    release() {
      rmSync(file, { force: true });
      closeSync(descriptor);
    },
    keep() {
      try {
        if (existsSync(file)) return;
        mkdirSync(path.dirname(file), { recursive: true });
        writeFileSync(file, JSON.stringify(self));
      } catch {
        // The disk is full or the folder is being removed: tried again.
      }
    },
  };
}

const held = (home: string, holder: ProcessIdentity) =>
  new PerdureError(
    'state/conflict',
    `The stack of ${home} is already supervised by process ${holder.pid}. Use it, stop it with \`npx perdure ` +
      `down\`, or set PERDURE_HOME to another folder.`,
    { pid: holder.pid },
  );

/** The living supervisor of a home, if there is one, also of a home whose files were removed under it. */
export function currentSupervisor(home: string): ProcessIdentity | undefined {
  const holder = lockFiles(home)
    .map(({ file }) => readLock(file))
    .find((one) => one !== undefined && isAlive(one));
  return holder ?? holderOfRemovedLock(home);
}

/** Whether the home still says who supervises it, alive or not. */
export function hasSupervisorLock(home: string): boolean {
  return lockFiles(home).length > 0;
}

const newestLock = (home: string) => lockFiles(home).toSorted((a, b) => b.generation - a.generation)[0];

function lockFiles(home: string): { generation: number; file: string }[] {
  try {
    return readdirSync(lockFolder(home)).flatMap((name) => {
      const generation = /^supervisor-(\d+)\.json$/.exec(name)?.[1];
      return generation === undefined
        ? []
        : [{ generation: Number(generation), file: path.join(lockFolder(home), name) }];
    });
  } catch {
    return [];
  }
}

function holderOfRemovedLock(home: string): ProcessIdentity | undefined {
  if (process.platform !== 'linux') return undefined;
  const prefix = path.join(lockFolder(home), 'supervisor-');
  for (const entry of readdirSync('/proc')) {
    const pid = Number(entry);
    if (Number.isInteger(pid) && openFiles(pid).some((file) => file.startsWith(prefix))) return identify(pid);
  }
  return undefined;
}

function openFiles(pid: number): string[] {
  try {
    const folder = `/proc/${pid}/fd`;
    return readdirSync(folder).flatMap((descriptor) => {
      try {
        return [readlinkSync(`${folder}/${descriptor}`)];
      } catch {
        return [];
      }
    });
  } catch {
    return []; // It ended, or it is another user's.
  }
}

const lockFolder = (home: string) => path.join(home, 'run');
const lockFile = (home: string, generation: number) => path.join(lockFolder(home), `supervisor-${generation}.json`);

function readLock(file: string): ProcessIdentity | undefined {
  try {
    return processIdentitySchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}
