import { loadPerdureConfig, type PerdureConfig } from '../../../perdure.config.js';
import { problem, type Check } from '../../../oversight/check.js';
import { decisionChecks } from './doctor-decisions.js';
import { installationChecks } from './doctor-installation.js';
import { stateChecks } from './doctor-state.js';
import { messageOf } from '../../../domain/errors.js';

/**
 * Everything that the product needs, one line each, with the remedy for what is missing or broken. Changes nothing.
 * With `replay`, open workflows are replayed on this code.
 */
export async function doctor(
  environment: NodeJS.ProcessEnv = process.env,
  options: { replay?: boolean } = {},
): Promise<Check[]> {
  let config: PerdureConfig;
  try {
    config = loadPerdureConfig(environment);
  } catch (error) {
    return [problem('configuration', messageOf(error), 'Correct or unset the variable.')];
  }
  const groups = await Promise.all([
    // First: the programs that it asks for their versions run while the clients of the servers are loaded.
    installationChecks(config),
    stateChecks(config),
    decisionChecks(config),
    import('./doctor-servers.js').then(({ serverChecks }) => serverChecks(config, environment, options)),
  ]);
  return groups.flat();
}
