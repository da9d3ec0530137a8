import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { errorCodes, PerdureError, type ErrorCode } from '../../domain/errors.js';

const program = fileURLToPath(new URL('./definition-process.ts', import.meta.url));

const loadedFileSchema = z.union([
  z.object({ file: z.string(), definition: z.unknown().refine((value) => value !== undefined) }),
  z.object({
    file: z.string(),
    problem: z.object({ code: z.string(), message: z.string(), details: z.record(z.string(), z.unknown()) }),
  }),
]);

/**
 * The default export of each file, imported in a process of its own: one that ends the process, never ends itself or
 * prints is named, and harms nothing. What files print goes to standard error.
 * @throws PerdureError for the first file that gives no definition.
 */
export function importDefinitions(
  projectRoot: string,
  files: readonly string[],
  { patienceMs = 60_000 } = {},
): Promise<{ file: string; definition: unknown }[]> {
  if (files.length === 0) return Promise.resolve([]);
  return new Promise((resolve, reject) => {
    const loaded: { file: string; definition: unknown }[] = [];
    const child = fork(program, [projectRoot, ...files], {
      cwd: projectRoot,
      execArgv: ['--import', import.meta.resolve('tsx')],
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    const refuse = (
      file: string,
      problem: string,
      code: ErrorCode = 'definition/invalid',
      details: Record<string, unknown> = {},
    ) => {
      clearTimeout(patience);
      child.kill('SIGKILL');
      reject(new PerdureError(code, `${file}: ${problem}`, { ...details, file }));
    };
    const next = () => files[loaded.length] ?? '';
    const tooLong = () =>
      refuse(
        next(),
        `it was not loaded within ${patienceMs / 1000} s. A model file only declares: remove ` +
          'whatever waits or loops.',
      );
    let patience = setTimeout(tooLong, patienceMs);
    child.on('message', (message) => {
      const parsed = loadedFileSchema.safeParse(message);
      if (!parsed.success) return;
      if ('problem' in parsed.data) {
        const { code, message: problem, details } = parsed.data.problem;
        return refuse(
          parsed.data.file,
          problem,
          errorCodes.find((known) => known === code) ?? 'definition/invalid',
          details,
        );
      }
      loaded.push(parsed.data);
      clearTimeout(patience);
      patience = setTimeout(tooLong, patienceMs);
      if (loaded.length < files.length) return;
      clearTimeout(patience);
      resolve(loaded);
    });
    child.once('error', (error) => refuse(next(), `it cannot be loaded: ${error.message}`));
    child.once('exit', (code, signal) => {
      if (loaded.length === files.length) return;
      refuse(
        next(),
        `it ended the process that loaded it (${signal ?? `exit code ${code}`}). A model file only declares: ` +
          `take \`process.exit\` out.`,
      );
    });
  });
}
