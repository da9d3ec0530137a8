import { loadavg } from 'node:os';
import { messageOf } from '../../domain/errors.js';
import type { Figure } from '../figures/figure.js';
import { spreadOf, type Spread } from '../figures/statistics.js';

export interface Measure {
  name: string;
  title: string;
  /** Milliseconds that the median may take. */
  limitMs: number;
  rounds: number;
  /** What is measured; gives milliseconds where it times itself. */
  once: () => Promise<unknown>;
  /**
   * Milliseconds of each time that are not its own, as the start of Node: measured just before it, under the same load.
   */
  lessMs?: () => Promise<number>;
}

/**
 * Milliseconds of one thing done several times, after one that nobody counts: caches are warm, as on a machine that
 * serves.
 */
export async function timed({ once, rounds, lessMs }: Pick<Measure, 'once' | 'rounds' | 'lessMs'>): Promise<Spread> {
  await once();
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const less = (await lessMs?.()) ?? 0;
    const began = performance.now();
    await once();
    times.push(Math.max(0, performance.now() - began - less));
  }
  return spreadOf(times);
}

/** One measure as a figure of the bench: its median against the limit. */
export async function measured(measure: Measure): Promise<Figure> {
  const { name, title, limitMs, rounds } = measure;
  let failed = 0;
  let firstFailure: string | undefined;
  const ms = await timed(measure).catch((error: unknown) => {
    failed = 1;
    firstFailure = messageOf(error).slice(0, 500);
    return { min: NaN, median: NaN, max: NaN };
  });
  const wanted = [{ what: `median below ${limitMs} ms`, met: ms.median < limitMs }];
  return {
    name,
    title,
    unit: 'ms',
    measured: { ms },
    failed,
    firstFailure,
    rounds,
    wanted,
    loadAverage: loadavg()[0] ?? NaN,
  };
}
