import { z } from 'zod';
import { digestOf } from '../canonical-json.js';
import type { DefinitionProblem } from '../definition-problem.js';

/** What a trainer program may hold at most: it is code and a list of libraries, and no data. */
export const programLimits = { filesMax: 500, bytesMax: 5 * 1024 * 1024, pathMax: 200 } as const;

/** No part begins with a dot, so that nothing is hidden and no path leads out. */
const programPathSchema = z
  .string()
  .max(programLimits.pathMax)
  .regex(
    /^[A-Za-z0-9_][A-Za-z0-9_.-]*(\/[A-Za-z0-9_][A-Za-z0-9_.-]*)*$/,
    'must be made of letters, digits, dots, dashes and underscores, and no part may begin with a dot',
  );

/** A trainer program as one value: its files in the order of their paths. Its digest is the program's identity. */
export const programArchiveSchema = z
  .strictObject({
    format: z.literal(1),
    files: z
      .array(z.strictObject({ path: programPathSchema, executable: z.boolean(), content: z.base64() }))
      .min(1)
      .max(programLimits.filesMax),
  })
  .superRefine(({ files }, context) => {
    for (const [index, file] of files.entries()) {
      const before = files[index - 1];
      if (before !== undefined && before.path >= file.path)
        context.addIssue({ code: 'custom', path: ['files', index, 'path'], message: 'must come after the one before' });
    }
    for (const { path, message } of archiveProblems(files)) context.addIssue({ code: 'custom', path: [path], message });
  });
export type ProgramArchive = z.infer<typeof programArchiveSchema>;

export const programDigest = (archive: ProgramArchive): string => digestOf(archive);

/** Where a program's libraries stand, each with version and hash. */
export const lockFileName = 'requirements.txt';
const entry = 'perdure_trainer/__main__.py';

/** What keeps files from being a trainer program. */
export function archiveProblems(files: readonly { path: string; content: string }[]): DefinitionProblem[] {
  const bytes = files.reduce((sum, { content }) => sum + Math.floor((content.length * 3) / 4), 0);
  const paths = new Set(files.map(({ path }) => path));
  const problems: DefinitionProblem[] = [];
  if (!paths.has(entry)) problems.push({ path: entry, message: 'is missing: it is what is run' });
  if (!paths.has(lockFileName))
    problems.push({ path: lockFileName, message: 'is missing: it locks the libraries, each with its hash' });
  if (files.length > programLimits.filesMax)
    problems.push({ path: '', message: `it has ${files.length} files, more than ${programLimits.filesMax}` });
  if (bytes > programLimits.bytesMax)
    problems.push({
      path: '',
      message: `it has ${bytes} bytes, more than ${programLimits.bytesMax}: data and models do not belong in it`,
    });
  return problems;
}
