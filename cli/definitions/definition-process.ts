import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { PerdureError, messageOf } from '../../domain/errors.js';
import { parseModelDefinition } from '../../domain/model/parse-definition.js';

/** What the process says of each file, in their order. */
export type LoadedFile =
  | { file: string; definition: unknown }
  | { file: string; problem: { code: string; message: string; details: Record<string, unknown> } };

/**
 * Imports model files in a process of its own: whatever they do besides describing a model happens to this process
 * only.
 */
async function main([projectRoot = '', ...files]: readonly string[]): Promise<void> {
  const send = process.send?.bind(process);
  if (!send) return;
  const say = (loaded: LoadedFile) => new Promise((resolve) => send(loaded, undefined, undefined, resolve));
  let current = '';
  for (const event of ['uncaughtException', 'unhandledRejection'] as const) {
    process.on(
      event,
      (error: unknown) => void say({ file: current, problem: problemOf(error) }).then(() => process.exit(1)),
    );
  }
  for (const file of files) {
    current = file;
    const loaded = await load(path.join(projectRoot, file), file);
    // What it left undone and failed at once is its own failure.
    await new Promise((resolve) => setTimeout(resolve, 0));
    await say(loaded);
  }
  process.exit(0);
}

async function load(absolute: string, file: string): Promise<LoadedFile> {
  try {
    const module: unknown = await import(pathToFileURL(absolute).href);
    const exported = typeof module === 'object' && module !== null && 'default' in module ? module.default : undefined;
    if (exported === undefined)
      throw new PerdureError(
        'definition/invalid',
        'it has no default export. Write `export default defineModel({ … })`.',
      );
    return { file, definition: parseModelDefinition(exported) };
  } catch (error) {
    return { file, problem: problemOf(error) };
  }
}

function problemOf(error: unknown): { code: string; message: string; details: Record<string, unknown> } {
  if (error instanceof PerdureError) return { code: error.code, message: error.message, details: error.details };
  const message = messageOf(error);
  return { code: 'definition/invalid', message: `it cannot be loaded: ${message}`, details: {} };
}

await main(process.argv.slice(2));
