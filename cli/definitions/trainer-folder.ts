import { lstatSync, readdirSync, readFileSync, realpathSync } from 'node:fs';
import path from 'node:path';
import { PerdureError } from '../../domain/errors.js';
import {
  archiveProblems,
  programArchiveSchema,
  programDigest,
  programLimits,
  type ProgramArchive,
} from '../../domain/training/program-archive.js';
import { issuePath } from '../../domain/schema-issue.js';
import type { LoadedDefinition } from './load-definitions.js';

export interface SentProgram {
  sha256: string;
  archive: ProgramArchive;
}

/**
 * Definitions with the digests of the programs in their folders, and those programs.
 * @throws PerdureError `definition/invalid` that names the folder or file.
 */
export function pinPrograms(
  projectRoot: string,
  loaded: readonly LoadedDefinition[],
): { definitions: LoadedDefinition['definition'][]; programs: SentProgram[] } {
  const programs: SentProgram[] = [];
  const definitions = loaded.map(({ file, definition }) => {
    const { program } = definition.training;
    if (program === undefined) return definition;
    const folder = typeof program === 'string' ? program : program.folder;
    const archive = readTrainerFolder(path.join(projectRoot, path.dirname(file)), folder);
    const sha256 = programDigest(archive);
    programs.push({ sha256, archive });
    return { ...definition, training: { ...definition.training, program: { folder, sha256 } } };
  });
  return { definitions, programs };
}

/** Hidden files, and what Python leaves behind. */
const leftOut = (name: string): boolean => name.startsWith('.') || name === '__pycache__' || name.endsWith('.pyc');

/**
 * The program in a folder beside a model's file, as it is sent.
 * @param modelFolder absolute path of that file's folder
 */
export function readTrainerFolder(modelFolder: string, folder: string): ProgramArchive {
  const root = path.join(modelFolder, folder);
  const files: ProgramArchive['files'] = [];
  const read = (within: string): void => {
    for (const name of readdirSync(path.join(root, within)).toSorted()) {
      if (leftOut(name)) continue;
      const relative = path.posix.join(within, name);
      const found = lstatSync(path.join(root, relative));
      if (found.isSymbolicLink()) throw refused(folder, `${relative} is a symbolic link: put the file itself there`);
      if (found.isDirectory()) read(relative);
      else if (!found.isFile()) throw refused(folder, `${relative} is not a plain file: take it out`);
      else if (found.size > programLimits.bytesMax)
        throw refused(folder, `${relative} has ${found.size} bytes, more than ${programLimits.bytesMax}`);
      else {
        const content = readFileSync(path.join(root, relative)).toString('base64');
        files.push({ path: relative, executable: (found.mode & 0o100) !== 0, content });
      }
      if (files.length > programLimits.filesMax)
        throw refused(folder, `it has more than ${programLimits.filesMax} files`);
    }
  };
  const model = realpathSync(modelFolder);
  try {
    if (path.join(model, path.relative(modelFolder, root)) !== realpathSync(root))
      throw refused(folder, 'it is a symbolic link, or lies behind one: put the folder itself there');
    read('');
  } catch (error) {
    if (error instanceof PerdureError) throw error;
    throw refused(folder, `it cannot be read (${String(error)}): create the folder, or correct training.program`);
  }
  files.sort((a, b) => (a.path < b.path ? -1 : 1));
  const [problem] = archiveProblems(files);
  if (problem !== undefined) throw refused(folder, [problem.path, problem.message].filter(Boolean).join(' '));
  const parsed = programArchiveSchema.safeParse({ format: 1, files });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const at = typeof issue?.path[1] === 'number' ? files[issue.path[1]]?.path : issuePath(issue?.path ?? []);
  throw refused(folder, `the file name ${at} ${issue?.message}`);
}

const refused = (folder: string, problem: string) =>
  new PerdureError('definition/invalid', `training.program ${folder}: ${problem}. See trainers/README.md.`, { folder });
