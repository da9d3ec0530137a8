import { log } from '@temporalio/activity';
import { createServedOutcomes } from '../../adapters/data-engine/prediction-log/served-outcomes.js';
import type { ActivityDependencies } from '../dependencies.js';

/**
 * The prediction log joined with labels, for activities; an object that cannot be read is left out and named in the
 * worker's log.
 */
export function createLoggedOutcomes(
  deps: Pick<ActivityDependencies, 'store' | 'config'>,
): ReturnType<typeof createServedOutcomes> {
  let outcomes: ReturnType<typeof createServedOutcomes> | undefined;
  return {
    count: (question) => {
      outcomes ??= createServedOutcomes({
        ...deps,
        onUnreadable: (key, reason) =>
          log.warn('an object of the prediction log cannot be read; it is left out', { key, reason }),
      });
      return outcomes.count(question);
    },
  };
}
