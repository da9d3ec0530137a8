import { loadPerdureConfig, type PerdureConfig } from '../../../perdure.config.js';
import { problem, type Check } from '../../../oversight/check.js';
import { decisionChecks } from './doctor-decisions.js';
import { installationChecks } from './doctor-installation.js';
import { serverChecks } from './doctor-servers.js';
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
    installationChecks(config),
    stateChecks(config),
    decisionChecks(config),
    serverChecks(config, environment, options),
  ]);
  return groups.flat();
}
