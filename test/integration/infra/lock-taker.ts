import { takeSupervisorLock } from '../../../infra/embedded/supervision/supervisor-lock.js';
import { messageOf } from '../../../domain/errors.js';

/**
 * Takes the supervisor's place of a home when it is told to, and says whether it did; a process of its own, for a place
 * is held by a process.
 */
process.on('message', (home: string) => {
  try {
    takeSupervisorLock(home);
    process.send?.('held');
  } catch (error) {
    process.send?.(messageOf(error));
  }
});
process.send?.('ready');
