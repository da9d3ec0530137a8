import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PerdureError } from '../../domain/errors.js';
import { lockFileName, programArchiveSchema } from '../../domain/training/program-archive.js';
import { environmentDigest, trainersPython, type TrainerProgram } from './trainer-program.js';
import { trainerEnvironment } from './trainer-environment.js';

interface OwnProgram {
  /** A local copy of the archive, as the object store has it. */
  archive: string;
  projectRoot: string;
}

/** What a training with this program depends on beside the program itself: its lock file, and the Python version. */
export async function ownEnvironmentDigest({ archive, projectRoot }: OwnProgram): Promise<string> {
  const lock = (await readArchive(archive)).files.find(({ path: name }) => name === lockFileName);
  return environmentDigest(trainersPython(projectRoot), Buffer.from(lock?.content ?? '', 'base64'));
}

/**
 * A team's own program, unpacked into a fresh folder, with the interpreter of its environment.
 * @throws PerdureError as `trainerEnvironment`.
 */
export async function ownTrainer({
  folder,
  home,
  signal,
  report,
  ...program
}: OwnProgram & {
  folder: string;
  home: string;
  signal: AbortSignal;
  report: (progress: string) => void;
}): Promise<TrainerProgram> {
  const { files } = await readArchive(program.archive);
  for (const { path: name, content, executable } of files) {
    const file = path.join(folder, ...name.split('/'));
    await mkdir(path.dirname(file), { recursive: true });
    await writeFile(file, Buffer.from(content, 'base64'), { mode: executable ? 0o755 : 0o644 });
  }
  const lockFile = path.join(folder, lockFileName);
  const sha256 = await ownEnvironmentDigest(program);
  const { projectRoot } = program;
  const python = await trainerEnvironment({ home, projectRoot, lockFile, sha256, signal, report });
  return { python, programDir: folder, lockFile };
}

async function readArchive(file: string) {
  const text = await readFile(file, 'utf8');
  const parsed = programArchiveSchema.safeParse(JSON.parse(text));
  if (parsed.success) return parsed.data;
  const sha256 = createHash('sha256').update(text).digest('hex');
  throw new PerdureError(
    'training/failed',
    `The trainer program ${sha256.slice(0, 12)} is not one that this version of Perdure reads. Apply the definition ` +
      'again.',
  );
}
