import { build, type BuildOptions } from 'esbuild';
import { createHash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { PerdureError, messageOf } from '../../../domain/errors.js';

/** All in one folder: each finds the others beside itself (`inference/fork-program.ts`). */
const programs = [
  'serving/main.ts',
  'inference/inference-process.ts',
  'serving/prediction-log/shipper-process.ts',
  'serving/prediction-lookup/passport-process.ts',
];
/** With machine code of their own, which no bundle can hold. */
const native = ['onnxruntime-node', '@duckdb/node-api'];
/** Read at run time, beside the program that reads them. */
const read = ['generated/descriptors.binpb'];
/** Builds of other states of the sources are kept, for gateways that run from them. */
const buildsKept = 10;

const options = (projectRoot: string): BuildOptions => ({
  absWorkingDir: projectRoot,
  entryPoints: Object.fromEntries(programs.map((file) => [path.basename(file, '.ts'), file])),
  outdir: 'built',
  bundle: true,
  splitting: true,
  format: 'esm',
  platform: 'node',
  target: 'node20.19',
  external: native,
  // Some packages in it are CommonJS.
  banner: {
    js: "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url);",
  },
  logLevel: 'silent',
});

/**
 * The gateway as JavaScript files that load in a fraction of the time and processor of its sources, which counts when
 * it has died and predictions wait. Made once per state of the sources, beside the packages that it needs.
 * @returns the file to run.
 * @throws PerdureError `environment/broken` for sources that esbuild refuses, or a checkout that cannot be written.
 */
export async function builtGateway(projectRoot: string): Promise<string> {
  const builds = path.join(projectRoot, 'node_modules', '.cache', 'perdure');
  try {
    return await buildIn(builds, projectRoot);
  } catch (error) {
    const reason = messageOf(error);
    throw new PerdureError(
      'environment/broken',
      `The gateway cannot be built in ${builds}: ${reason}. Fix that, and start again.`,
    );
  }
}

async function buildIn(builds: string, projectRoot: string): Promise<string> {
  const { outputFiles } = await build({ ...options(projectRoot), write: false });
  const files = [
    ...outputFiles.map((file) => ({ name: path.basename(file.path), contents: file.contents })),
    ...(await Promise.all(
      read.map(async (name) => ({ name, contents: await readFile(path.join(projectRoot, 'serving', 'grpc', name)) })),
    )),
  ];
  const digest = createHash('sha256');
  for (const { name, contents } of files) digest.update(`${name}\0`).update(contents);
  const folder = path.join(builds, `gateway-${digest.digest('hex').slice(0, 16)}`);
  if (await holds(folder, files)) await utimes(folder, new Date(), new Date());
  else {
    await mkdir(builds, { recursive: true });
    const unfinished = await mkdtemp(path.join(builds, 'unfinished-'));
    for (const { name, contents } of files) {
      await mkdir(path.dirname(path.join(unfinished, name)), { recursive: true });
      await writeFile(path.join(unfinished, name), contents);
    }
    await rename(unfinished, folder).catch(async () => {
      // Another process was faster; or files of it were lost, as when the machine lost its power.
      if (!(await holds(folder, files))) await cp(unfinished, folder, { recursive: true });
      await rm(unfinished, { recursive: true });
    });
    await forgetOldBuilds(builds);
  }
  return path.join(folder, 'main.js');
}

async function holds(folder: string, files: readonly { name: string; contents: Uint8Array }[]): Promise<boolean> {
  const same = files.map(({ name, contents }) =>
    readFile(path.join(folder, name)).then(
      (found) => found.equals(contents),
      () => false,
    ),
  );
  return (await Promise.all(same)).every(Boolean);
}

async function forgetOldBuilds(builds: string): Promise<void> {
  const names = await readdir(builds);
  const found = await Promise.all(
    names.map(async (name) => ({
      folder: path.join(builds, name),
      usedAt: (await stat(path.join(builds, name))).mtimeMs,
    })),
  );
  const old = found.toSorted((left, right) => right.usedAt - left.usedAt).slice(buildsKept);
  await Promise.all(old.map(({ folder }) => rm(folder, { recursive: true, force: true })));
}
