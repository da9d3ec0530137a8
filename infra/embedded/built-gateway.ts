import { build, type BuildOptions } from 'esbuild';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PerdureError } from '../../domain/errors.js';

/** All in one folder: each finds the others beside itself (`serving/programs.ts`). */
const programs = ['main', 'inference-process', 'passport-process', 'shipper-process'];
/** With machine code of their own, which no bundle can hold. */
const native = ['onnxruntime-node', '@duckdb/node-api'];
/** Read at run time, beside the program that reads them. */
const read = ['generated/descriptors.binpb'];
/** Builds of other states of the sources are kept, for gateways that run from them. */
const buildsKept = 10;

const options = (projectRoot: string): BuildOptions => ({
  absWorkingDir: projectRoot,
  entryPoints: Object.fromEntries(programs.map((name) => [name, `serving/${name}.ts`])),
  outdir: 'built',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  external: native,
  // Some packages in it are CommonJS.
  banner: { js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);" },
  logLevel: 'silent',
});

/**
 * The gateway as JavaScript files that load in a fraction of the time and processor of its sources, which counts when it has died and predictions wait. Made once per state
 * of the sources, beside the packages that it needs. @returns the file to run.
 * @throws PerdureError `environment/broken` for sources that esbuild refuses, or a checkout that cannot be written.
 */
export async function builtGateway(projectRoot: string): Promise<string> {
  const builds = path.join(projectRoot, 'node_modules', '.cache', 'perdure');
  try {
    return await buildIn(builds, projectRoot);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new PerdureError('environment/broken', `The gateway cannot be built in ${builds}: ${reason}. Repair that, and start again.`);
  }
}

async function buildIn(builds: string, projectRoot: string): Promise<string> {
  const { outputFiles } = await build({ ...options(projectRoot), write: false });
  const digest = createHash('sha256');
  for (const file of outputFiles) digest.update(`${path.basename(file.path)}\0`).update(file.contents);
  const folder = path.join(builds, `gateway-${digest.digest('hex').slice(0, 16)}`);
  if (existsSync(folder)) await utimes(folder, new Date(), new Date());
  else {
    await mkdir(builds, { recursive: true });
    const unfinished = await mkdtemp(path.join(builds, 'unfinished-'));
    await Promise.all(outputFiles.map((file) => writeFile(path.join(unfinished, path.basename(file.path)), file.contents)));
    for (const file of read) {
      await mkdir(path.dirname(path.join(unfinished, file)), { recursive: true });
      await copyFile(path.join(projectRoot, 'serving', 'grpc', file), path.join(unfinished, file));
    }
    await rename(unfinished, folder).catch(async (error: unknown) => {
      await rm(unfinished, { recursive: true });
      if (!existsSync(folder)) throw error; // Otherwise another process was faster.
    });
    await forgetOldBuilds(builds);
  }
  return path.join(folder, 'main.js');
}

async function forgetOldBuilds(builds: string): Promise<void> {
  const names = await readdir(builds);
  const found = await Promise.all(
    names.map(async (name) => ({ folder: path.join(builds, name), usedAt: (await stat(path.join(builds, name))).mtimeMs })),
  );
  const old = found.toSorted((left, right) => right.usedAt - left.usedAt).slice(buildsKept);
  await Promise.all(old.map(({ folder }) => rm(folder, { recursive: true, force: true })));
}
