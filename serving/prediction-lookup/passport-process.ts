import { mkdir, rm } from 'node:fs/promises';
import { createObjectStore } from '../../adapters/object-store/object-store.js';
import { PerdureError, messageOf } from '../../domain/errors.js';
import type { FromPassport, ToPassport } from './passport-messages.js';
import { countLabels } from './count-labels.js';
import { findPrediction, type PredictionFinderOptions } from './prediction-finder.js';

/**
 * The program that looks predictions up, one after another: reading logs takes time and memory, of which the gateway
 * has none to give.
 */

let options: Promise<PredictionFinderOptions> | undefined;
let busy: Promise<void> = Promise.resolve();

process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole group; the gateway decides when this process ends.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.on('message', (message: ToPassport) => {
  if (message.kind === 'start') options = prepare(message);
  else busy = busy.then(() => answer(message));
});
say({ kind: 'ready' });

function say(message: FromPassport): void {
  process.send?.(message, undefined, undefined, () => undefined);
}

async function prepare({
  environment,
  spools,
  folder,
  objectStore,
}: Extract<ToPassport, { kind: 'start' }>): Promise<PredictionFinderOptions> {
  const workFolder = `${folder}/work`;
  await rm(workFolder, { recursive: true, force: true });
  await mkdir(workFolder, { recursive: true });
  const store = objectStore === undefined ? undefined : createObjectStore(objectStore);
  return { environment, spools, workFolder, cacheFolder: `${folder}/cache`, store };
}

async function answer(message: Exclude<ToPassport, { kind: 'start' }>): Promise<void> {
  const { number } = message;
  try {
    if (options === undefined) throw new Error('asked before it was started');
    if (message.kind === 'find')
      say({ kind: 'found', number, found: (await findPrediction(await options, message.id, message.models)) ?? null });
    else
      say({
        kind: 'counted',
        number,
        counts: await countLabels(await options, message.model, new Date(message.since)),
      });
  } catch (error) {
    const code = error instanceof PerdureError ? error.code : 'serving/failed';
    say({ kind: 'failed', number, code, message: messageOf(error) });
  }
}
