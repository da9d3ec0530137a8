import type { PerdureConfig } from '../../../perdure.config.js';
import { nodePackagesFit } from '../../bootstrap/node-packages.mjs';
import { checkNode, findPython } from '../../bootstrap/prerequisites.mjs';
import { isToolFresh, wantedTools } from '../../bootstrap/python-tools.mjs';
import { note, ok, problem, type Check } from '../../../oversight/check.js';
import { postgresPrograms } from '../servers/postgres-programs.js';
import { findTemporal, temporalServerVersion } from '../servers/tools.js';
import { messageOf } from '../../../domain/errors.js';

const installRemedy = 'Run `npx perdure up` or `npm start`: they install what is missing.';

/** Node, Python, the packages and the native programs. */
export async function installationChecks({ projectRoot }: PerdureConfig): Promise<Check[]> {
  const [python, temporal] = await Promise.all([attempt('Python', findPython), temporalCheck(projectRoot)]);
  return [
    await attempt('Node', () => (checkNode(), process.versions.node)),
    python,
    nodePackagesFit(projectRoot, { development: false })
      ? ok('Node packages', 'as locked')
      : problem('Node packages', 'node_modules does not match package-lock.json', installRemedy),
    ...wantedTools(projectRoot, false).map((tool) =>
      isToolFresh(tool)
        ? ok(`tools: ${tool.name}`, 'as locked')
        : problem(`tools: ${tool.name}`, 'missing or stale', installRemedy),
    ),
    await attempt('PostgreSQL programs', () => postgresPrograms().version),
    temporal,
  ];
}

async function temporalCheck(projectRoot: string): Promise<Check> {
  try {
    const found = await findTemporal(projectRoot);
    const own = process.env.PERDURE_TEMPORAL_BINARY;
    if (own && found.path !== own) {
      return note(
        'Temporal program',
        `${own} is not server ${temporalServerVersion}; ${found.path} is used`,
        'Unset PERDURE_TEMPORAL_BINARY or point it at a matching one.',
      );
    }
    return ok('Temporal program', `server ${found.serverVersion} (${found.path})`);
  } catch (error) {
    return problem('Temporal program', messageOf(error), installRemedy);
  }
}

async function attempt(name: string, check: () => string | Promise<string>): Promise<Check> {
  try {
    return ok(name, await check());
  } catch (error) {
    return problem(name, messageOf(error), installRemedy);
  }
}
