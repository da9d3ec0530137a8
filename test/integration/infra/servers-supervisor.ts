import { loadPerdureConfig } from '../../../perdure.config.js';
import { startStack } from '../../../infra/embedded/stack.js';
import { messageOf } from '../../../domain/errors.js';

/**
 * A supervisor of the servers as a process of its own, so that a test can kill it. Says over IPC when everything
 * answers.
 */
async function main(): Promise<void> {
  const stack = await startStack({ config: loadPerdureConfig(), parts: 'servers' });
  process.once('SIGTERM', () => void stack.stop().then(() => process.exit(0)));
  process.send?.('ready');
}

main().catch((error: unknown) => {
  process.send?.(messageOf(error));
  process.exit(1);
});
