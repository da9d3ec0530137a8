import { execFile } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import path from 'node:path';
import { promisify } from 'node:util';
import { PerdureError } from '../../../domain/errors.js';

/**
 * The Temporal server that the lock file names. SQLite files do not carry across server versions, so another one never
 * takes its place silently.
 */
export const temporalServerVersion = '1.32.0';

export interface TemporalBinary {
  path: string;
  cliVersion: string;
  serverVersion: string;
  uiVersion: string;
}

export function toolPath(projectRoot: string, venv: string, program: string): string {
  return path.join(projectRoot, '.tools', venv, 'bin', program);
}

/** @throws PerdureError `environment/broken` when the bootstrap has not installed it. */
export function requireTool(projectRoot: string, venv: string, program: string): string {
  const file = toolPath(projectRoot, venv, program);
  if (!existsSync(file)) {
    throw new PerdureError(
      'environment/broken',
      `${program} is not installed (${file}). Run \`npx perdure up\` or \`npm start\`, which install what is missing.`,
    );
  }
  return file;
}

/** A `temporal` of the user's (PERDURE_TEMPORAL_BINARY, then PATH) whose server fits, else the locked one. */
export async function findTemporal(
  projectRoot: string,
  environment: NodeJS.ProcessEnv = process.env,
): Promise<TemporalBinary> {
  for (const candidate of [environment.PERDURE_TEMPORAL_BINARY, onPath('temporal', environment)]) {
    const found = candidate ? await versionsOf(candidate) : undefined;
    if (found?.serverVersion === temporalServerVersion) return found;
  }
  const locked = await versionsOf(requireTool(projectRoot, 'servers', 'temporal'));
  if (!locked)
    throw new PerdureError(
      'environment/broken',
      'The installed temporal does not run. Remove .tools/servers and start again.',
    );
  return locked;
}

export function onPath(program: string, environment: NodeJS.ProcessEnv = process.env): string | undefined {
  return (environment.PATH ?? '')
    .split(path.delimiter)
    .filter((folder) => path.isAbsolute(folder))
    .map((folder) => path.join(folder, program))
    .find((file) => {
      try {
        accessSync(file, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}

async function versionsOf(file: string): Promise<TemporalBinary | undefined> {
  try {
    const { stdout } = await promisify(execFile)(file, ['--version'], { timeout: 20_000 });
    const match = /version (\S+) \(Server (\S+), UI (\S+)\)/.exec(stdout);
    if (!match?.[1] || !match[2] || !match[3]) return undefined;
    return { path: file, cliVersion: match[1], serverVersion: match[2], uiVersion: match[3] };
  } catch {
    return undefined;
  }
}
