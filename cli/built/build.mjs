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
import { buildsOf, settings, stampOf } from './built-cli.mjs';

/** With machine code of their own, which no bundle can hold; or programs of their own. */
const external = [
  'onnxruntime-node',
  '@duckdb/node-api',
  '@temporalio/worker',
  '@temporalio/core-bridge',
  'esbuild',
  'tsx',
];
/** Stands for `import.meta.url`: what a source finds beside itself stays beside the source. */
const ownUrl = 'perdureSourceUrl';
/** Commands that still run load parts of an older build. */
const buildsKept = 20;

/**
 * Builds the command line of a checkout: one folder per build, and `current.json` that names it with the stamps of what
 * it was built of. Both appear whole or not at all.
 * @param {string} projectRoot
 * @throws {Error} for sources that esbuild refuses, and for a disk that takes no files
 */
export async function buildCli(projectRoot) {
  const builds = buildsOf(projectRoot);
  mkdirSync(builds, { recursive: true });
  const unfinished = mkdtempSync(path.join(builds, 'unfinished-'));
  try {
    const { sources, outputs } = await bundle(projectRoot);
    for (const { path: file, contents } of outputs)
      writeFileSync(path.join(unfinished, path.basename(file)), contents, { flush: true });
    const folder = `built-${path.basename(unfinished).slice('unfinished-'.length)}`;
    renameSync(unfinished, path.join(builds, folder));
    const files = Object.fromEntries(
      outputs.map(({ path: file }) => [path.basename(file), stampOf(path.join(builds, folder, path.basename(file)))]),
    );
    const next = path.join(builds, `${folder}.json`);
    writeFileSync(next, JSON.stringify({ root: projectRoot, folder, sources, files }), { flush: true });
    renameSync(next, path.join(builds, 'current.json'));
    forgetOldBuilds(builds, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}

/** @param {string} projectRoot */
async function bundle(projectRoot) {
  // Before each is read: an edit in the meantime makes the build one of other sources.
  /** @type {Record<string, string>} */
  const sources = Object.fromEntries(settings.map((file) => [file, stampOf(path.join(projectRoot, file))]));
  const { outputFiles } = await build({
    absWorkingDir: projectRoot,
    entryPoints: ['cli/run-cli.ts'],
    outdir: 'built',
    bundle: true,
    splitting: true,
    minifySyntax: true,
    minifyWhitespace: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external,
    write: false,
    logLevel: 'silent',
    define: { 'import.meta.url': ownUrl },
    banner: {
      // Some packages in it are CommonJS; for packages, their place is the bundle's.
      js:
        "import { createRequire as requireOf } from 'node:module'; const require = requireOf(import.meta.url); " +
        `globalThis.${ownUrl} ??= import.meta.url;`,
    },
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
  return { sources, outputs: outputFiles };
}

/** @param {string} builds @param {string} current */
function forgetOldBuilds(builds, current) {
  const old = readdirSync(builds)
    .filter((name) => /^(built|unfinished)-\w+$/.test(name) && name !== current)
    .map((name) => ({ name, at: statSync(path.join(builds, name), { throwIfNoEntry: false })?.mtimeMs ?? 0 }))
    .toSorted((left, right) => right.at - left.at);
  for (const { name } of old.slice(buildsKept - 1)) rmSync(path.join(builds, name), { recursive: true, force: true });
}

const [, program = '', projectRoot] = process.argv;
if (projectRoot && import.meta.url === pathToFileURL(program).href) {
  try {
    setPriority(10); // Nobody waits for it.
    await buildCli(projectRoot);
  } catch {
    process.exitCode = 1; // Commands go on running from the sources, which say what is wrong with them.
  } finally {
    rmSync(path.join(buildsOf(projectRoot), 'building'), { force: true });
  }
}
