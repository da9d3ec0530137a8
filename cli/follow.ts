import { setTimeout as pause } from 'node:timers/promises';
import type { CliContext } from './context.js';
import { Interrupted } from './exit-code.js';

/** How often what goes on is looked at. */
const lookEveryMs = 1_000;
/** After so long without a word it is said that nothing answers. */
const silenceMs = 20_000;

export interface Follow<T> {
  result: Promise<T>;
  /** What has happened so far, one line each; lines that were printed before are not printed again. */
  look: () => Promise<string[]>;
  /** Said after Ctrl-C: what goes on without us, and how to watch it. */
  interrupted: string;
}

/** Waits for a result and prints what happens meanwhile. Ctrl-C ends the waiting only. @throws Interrupted. */
export async function follow<T>(
  { output, signal }: Pick<CliContext, 'output' | 'signal'>,
  { result, look, interrupted }: Follow<T>,
): Promise<T> {
  const ended = new AbortController();
  const printed = new Set<string>();
  let lastWordAt = Date.now();
  const print = async () => {
    for (const line of await look().catch((): string[] => [])) {
      if (printed.has(line) || signal.aborted) continue;
      printed.add(line);
      lastWordAt = Date.now();
      output.progress(`  ${line}`);
    }
  };
  const watching = (async () => {
    while (!ended.signal.aborted) {
      await print();
      if (printed.size === 0 && Date.now() - lastWordAt > silenceMs) {
        output.progress('  Nothing has happened yet: check that a worker runs with `npx perdure status`.');
        lastWordAt = Date.now();
      }
      await pause(lookEveryMs, undefined, { signal: ended.signal }).catch(() => undefined);
    }
  })();
  try {
    const value = await untilInterrupted(signal, result, interrupted);
    await print();
    return value;
  } finally {
    ended.abort();
    // A look may wait for a server for as long as that takes; who interrupts does not.
    if (!signal.aborted) await watching;
  }
}

/** The promise's value, unless Ctrl-C comes first. @throws Interrupted with what goes on without us. */
export async function untilInterrupted<T>(signal: AbortSignal, result: Promise<T>, message: string): Promise<T> {
  result.catch(() => undefined); // After an interruption nobody waits for it any more.
  let stop: (() => void) | undefined;
  const interruption = new Promise<never>((_, reject) => {
    stop = () => reject(new Interrupted(message));
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([result, interruption]);
  } finally {
    if (stop) signal.removeEventListener('abort', stop);
  }
}
