import { startProgram } from '../child-program.js';
import type { FromLoad, LoadRequest, LoadResult, ToLoad } from './load-messages.js';

export interface LoadGenerator {
  /** @throws when the generator itself failed; failed requests are in the result. */
  run: (request: LoadRequest) => Promise<LoadResult>;
  stop: () => Promise<void>;
}

export async function startLoadGenerator(): Promise<LoadGenerator> {
  const program = startProgram<ToLoad, FromLoad>(new URL('./load-process.ts', import.meta.url), 'the load generator');
  await program.next((message) => (message.kind === 'ready' ? true : undefined));
  return {
    async run(request) {
      const outcome = program.next((message) => (message.kind === 'ready' ? undefined : message));
      program.send({ kind: 'run', request });
      const message = await outcome;
      if (message.kind === 'failed') throw new Error(`the load generator failed: ${message.message}`);
      return message.result;
    },
    stop: program.stop,
  };
}
