import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { installStep } from './install-step.mjs';

/**
 * One folder under `.tools/`, made from locked requirements.
 * @typedef {{ name: string, title: string, folder: string, requirements: string, extraArgs: string[], hashedFiles:
 * string[] }} Tool
 */

/**
 * What this checkout wants. A trainer's requirements travel with the trainer; the others are in `infra/tools`.
 * @param {string} projectRoot @param {boolean} forTests @returns {Tool[]}
 */
export function wantedTools(projectRoot, forTests) {
  const locked = (/** @type {string} */ name) => path.join('infra', 'tools', `${name}.requirements.txt`);
  const buildLock = path.join('infra', 'tools', 'datasets.build.requirements.txt');
  const tools = [
    tool('uv', 'uv, the installer of the Python tools (about 25 MB)', locked('uv')),
    tool('servers', 'Temporal, its time-skipping test server and SeaweedFS (about 120 MB)', locked('servers')),
    tool(
      'trainers',
      'the trainers LightGBM, XGBoost and scikit-learn (about 160 MB)',
      path.join('trainers', 'tabular', 'requirements.txt'),
    ),
    // Only the data files inside are read, never its code: so no dependencies, and what builds the package is locked as
    // well.
    tool(
      'datasets',
      'the example data: flights of 2013, purchases of 1997 and 1998, ratings of films (about 15 MB)',
      locked('datasets'),
      ['--no-deps', '--build-constraint', buildLock],
      [buildLock],
    ),
  ];
  if (forTests)
    tools.push(
      tool(
        'oracles',
        'independent implementations that tests compare with: SciPy, scikit-learn (about 150 MB)',
        locked('oracles'),
      ),
      tool(
        'clients',
        'clients of others that tests ask gateways with: tritonclient, kserve (about 130 MB)',
        locked('clients'),
      ),
      tool(
        'mlserver',
        'the mlserver command, which cannot share an environment with kserve (about 100 MB)',
        locked('mlserver'),
      ),
    );
  return tools;

  /**
   * @param {string} name
   * @param {string} title
   * @param {string} requirements
   * @param {string[]} extraArgs
   * @param {string[]} moreFiles
   * @returns {Tool}
   */
  function tool(name, title, requirements, extraArgs = [], moreFiles = []) {
    const hashedFiles = [requirements, ...moreFiles].map((file) => path.join(projectRoot, file));
    return { name, title, folder: path.join(projectRoot, '.tools', name), requirements, extraArgs, hashedFiles };
  }
}

/** Whether it was installed from today's requirements, to its end, and its Python is still there. @param {Tool} tool */
export function isToolFresh(tool) {
  const stamp = stampFile(tool);
  if (!existsSync(stamp)) return false;
  return readFileSync(stamp, 'utf8').trim() === wantedStamp(tool) && pythonStillThere(tool);
}

/** While none of these changes, a fresh tool stays fresh. @param {Tool} tool */
export const toolFiles = (tool) => [...tool.hashedFiles, stampFile(tool), programOf(tool)];

/**
 * @param {string} projectRoot @param {Tool} tool
 * @param {string} python absolute path of the Python from which the environment is made
 */
export async function installTool(projectRoot, tool, python) {
  await installStep(
    tool.title,
    async (run) => {
      rmSync(tool.folder, { recursive: true, force: true });
      mkdirSync(path.dirname(tool.folder), { recursive: true });
      if (tool.name === 'uv') await installUv(tool, python, run);
      else await installWithUv(projectRoot, tool, python, run);
      // Last, so that an interrupted install is seen and repaired.
      writeFileSync(stampFile(tool), `${wantedStamp(tool)}\n`);
    },
    projectRoot,
  );
}

/** @typedef {Parameters<Parameters<typeof installStep>[1]>[0]} Run */

/** @param {Tool} tool @param {string} python @param {Run} run */
async function installUv(tool, python, run) {
  const requirements = [
    '--require-hashes',
    '--no-deps',
    '--disable-pip-version-check',
    '--quiet',
    '-r',
    tool.requirements,
  ];
  try {
    await run(python, ['-m', 'venv', tool.folder]);
    await run(path.join(tool.folder, 'bin', 'python'), ['-m', 'pip', 'install', ...requirements]);
  } catch (error) {
    // Some systems package the `venv` module apart; a pip of the system's own can still fill a folder.
    rmSync(tool.folder, { recursive: true, force: true });
    try {
      await run(python, ['-m', 'pip', 'install', '--target', tool.folder, ...requirements]);
    } catch {
      const message = error instanceof Error ? error.message : String(error);
      throw new Error(
        `${message}\nPython cannot make a virtual environment. On Debian and Ubuntu: apt-get install ` +
          'python3-venv. Then run the command again.',
      );
    }
  }
}

/** @param {string} projectRoot @param {Tool} tool @param {string} python @param {Run} run */
async function installWithUv(projectRoot, tool, python, run) {
  const uv = path.join(projectRoot, '.tools', 'uv', 'bin', 'uv');
  const env = { ...process.env, UV_PYTHON_DOWNLOADS: 'never', ...indexOfPip(await pipConfiguration(python, run)) };
  const target = path.join(tool.folder, 'bin', 'python');
  await run(uv, ['venv', '--quiet', '--no-project', '--python', python, tool.folder], { env });
  const args = [
    'pip',
    'install',
    '--quiet',
    '--python',
    target,
    '--require-hashes',
    '--compile-bytecode',
    ...tool.extraArgs,
    '-r',
    tool.requirements,
  ];
  await run(uv, args, { env });
}

/** @param {string} python @param {Run} run */
async function pipConfiguration(python, run) {
  return run(python, ['-m', 'pip', 'config', 'list']).catch(() => '');
}

/**
 * uv does not read pip's configuration: a mirror that was set for pip is meant for it too.
 * @param {string} configuration
 * @returns {NodeJS.ProcessEnv}
 */
export function indexOfPip(configuration, environment = process.env) {
  if (environment.UV_DEFAULT_INDEX || environment.UV_INDEX_URL) return {};
  const index = /^(?:global|install|:env:)\.index-url='(.+)'$/m.exec(configuration)?.[1];
  return index ? { UV_DEFAULT_INDEX: index } : {};
}

/** @param {Tool} tool */
function wantedStamp(tool) {
  const hash = createHash('sha256');
  for (const file of tool.hashedFiles) hash.update(readFileSync(file));
  return hash.digest('hex');
}

/** @param {Tool} tool */
function stampFile(tool) {
  return path.join(tool.folder, '.perdure-stamp');
}

/**
 * A virtual environment only links to the Python that made it, which an upgrade of the system may have removed.
 * @param {Tool} tool
 */
const pythonStillThere = (tool) => existsSync(programOf(tool));

/** @param {Tool} tool */
function programOf(tool) {
  return path.join(tool.folder, 'bin', tool.name === 'uv' ? 'uv' : 'python');
}
