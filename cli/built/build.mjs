import { build } from 'esbuild';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { setPriority } from 'node:os';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { installedFiles, isInstalled } from '../../infra/bootstrap/ensure-installed.mjs';
import { buildsOf, programName, stampOf } from './built-cli.mjs';
import { compiledOf, loadProgram } from './load-program.mjs';
import { warmUp } from './warm-up.mjs';

/** With machine code of their own, which no bundle can hold; or programs of their own. */
const external = [
  'onnxruntime-node',
  '@duckdb/node-api',
  '@temporalio/worker',
  '@temporalio/core-bridge',
  'esbuild',
  'tsx',
];
/** What else decides on a build: the packages in it, and how it is made. */
const settings = [
  'package-lock.json',
  'node_modules/.package-lock.json',
  'tsconfig.json',
  'cli/built/build.mjs',
  'cli/built/load-program.mjs',
];
/** Stands for `import.meta.url`: what a source finds beside itself stays beside the source. */
const ownUrl = 'perdureSourceUrl';
/** Stands for `import.meta.resolve`. */
const resolveUrl = 'perdureResolveUrl';
/** A command that has read which build is current loads it a moment later. */
const buildsKept = 3;

/**
 * Builds the command line of a checkout: one folder per build, with one program and what V8 compiled of it, and
 * `current.json` that names it with the stamps of what it was built of. No command sees one that is not whole.
 * @param {string} projectRoot
 * @throws {Error} for sources that esbuild refuses, and for a disk that takes no files
 */
export async function buildCli(projectRoot) {
  const builds = buildsOf(projectRoot);
  mkdirSync(builds, { recursive: true });
  const folder = mkdtempSync(path.join(builds, 'built-'));
  try {
    const { sources, program } = await bundle(projectRoot);
    const file = path.join(folder, programName);
    writeFileSync(file, program, { flush: true });
    const { script, exports } = loadProgram(file);
    await warmUp(exports);
    writeFileSync(compiledOf(file), script.createCachedData(), { flush: true });
    const files = Object.fromEntries(
      [file, compiledOf(file)].map((made) => [path.relative(folder, made), stampOf(made)]),
    );
    const build = { root: projectRoot, node: process.version, folder: path.basename(folder), sources, files };
    const next = `${folder}.json`;
    writeFileSync(next, JSON.stringify(build), { flush: true });
    renameSync(next, path.join(builds, 'current.json'));
  } catch (error) {
    rmSync(folder, { recursive: true, force: true });
    throw error;
  }
  forgetOldBuilds(builds, path.basename(folder));
}

/**
 * The command line as one script: a function of `require`, `module` and `__filename`.
 * @param {string} projectRoot
 */
export async function bundle(projectRoot) {
  // Before each is read: an edit in the meantime makes the build one of other sources.
  // With what is installed for all that commands start: one that has a build need not look for it.
  const installed = installedFiles(projectRoot).map((file) => path.relative(projectRoot, file));
  /** @type {Record<string, string>} */
  const sources = Object.fromEntries(
    [...settings, ...installed].map((file) => [file, stampOf(path.join(projectRoot, file))]),
  );
  const { outputFiles } = await build({
    absWorkingDir: projectRoot,
    entryPoints: ['cli/run-cli.ts'],
    bundle: true,
    minifySyntax: true,
    minifyWhitespace: true,
    format: 'cjs',
    supported: { 'dynamic-import': false }, // Parts of one script: they are evaluated when they are first imported.
    legalComments: 'none',
    platform: 'node',
    target: 'node20.19',
    external,
    write: false,
    logLevel: 'silent',
    logOverride: { 'empty-import-meta': 'error' },
    define: { 'import.meta.url': ownUrl, 'import.meta.resolve': resolveUrl },
    banner: {
      // For packages, their place is the program's.
      js:
        `(function (require, module, __filename) { const { pathToFileURL } = require('node:url'); ` +
        `globalThis.${ownUrl} ??= pathToFileURL(__filename).href; ` +
        `const ${resolveUrl} = (name) => pathToFileURL(require.resolve(name)).href;`,
    },
    footer: { js: '})' },
    plugins: [
      {
        name: 'own sources',
        setup: ({ onLoad }) => {
          onLoad({ filter: /\.(m?ts|mjs|json)$/ }, ({ path: file }) => {
            const name = path.relative(projectRoot, file);
            if (name.split(path.sep).includes('node_modules')) return undefined;
            sources[name] = stampOf(file);
            const text = readFileSync(file, 'utf8');
            const contents = `const ${ownUrl} = ${JSON.stringify(pathToFileURL(file).href)}; ${text}`;
            if (file.endsWith('json')) return { contents: text, loader: 'json' };
            return { contents, loader: file.endsWith('ts') ? 'ts' : 'js' };
          });
        },
      },
    ],
  });
  const [only] = outputFiles;
  if (only === undefined) throw new Error('esbuild made no program of cli/run-cli.ts');
  return { sources, program: only.contents };
}

/** @param {string} builds @param {string} current */
function forgetOldBuilds(builds, current) {
  const old = readdirSync(builds)
    .filter((name) => /^built-\w+$/.test(name) && name !== current)
    .map((name) => ({ name, at: statSync(path.join(builds, name), { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .toSorted((left, right) => right.at - left.at);
  for (const { name } of old.slice(buildsKept - 1)) rmSync(path.join(builds, name), { recursive: true, force: true });
}

const [, program = '', projectRoot] = process.argv;
if (projectRoot && import.meta.url === pathToFileURL(program).href) {
  try {
    setPriority(10); // Nobody waits for it.
    if (isInstalled()) await buildCli(projectRoot);
  } catch {
    process.exitCode = 1; // Commands go on running from the sources, which say what is wrong with them.
  } finally {
    rmSync(path.join(buildsOf(projectRoot), 'building'), { force: true });
  }
}
