import { PerdureError, messageOf } from '../../domain/errors.js';
import { loadPerdureConfig } from '../../perdure.config.js';
import { describeProgress } from './print-progress.js';
import { startStack, type RunningStack } from './stack.js';
import { supervisorLog, surviveShortages } from './supervision/supervisor-log.js';

/**
 * The supervisor as a process of its own, for `perdure up --detach`: tells its parent over IPC how the start goes, then
 * lives alone.
 */
async function main(): Promise<void> {
  const log = supervisorLog(loadPerdureConfig().home);
  surviveShortages(log);
  const interruption = new AbortController();
  let ended: () => void = () => undefined;
  const end = new Promise<void>((resolve) => (ended = resolve));
  process.on('SIGHUP', () => undefined); // The terminal from which it was started may close.
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => {
      interruption.abort();
      ended();
    });
  }
  const tell = (message: object) => {
    if (process.connected) process.send?.(message, undefined, undefined, () => undefined);
  };
  let stack: RunningStack | undefined;
  try {
    stack = await startStack({
      signal: interruption.signal,
      onProgress(progress) {
        const line = describeProgress(progress);
        if (line) log(line.trim());
        tell({ perdure: 'progress', progress });
      },
    });
  } catch (error) {
    const code = error instanceof PerdureError ? error.code : 'environment/broken';
    tell({ perdure: 'failed', code, message: messageOf(error) });
    process.exitCode = 1;
    if (process.connected) process.disconnect();
    return;
  }
  tell({ perdure: 'ready' });
  if (process.connected) process.disconnect();
  await end;
  await stack.stop();
  process.exit(0);
}

void main();
