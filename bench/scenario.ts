import type { Figure } from './figures/figure.js';
import type { BenchOptions } from './options.js';
import type { BenchWorld } from './world.js';

interface Named {
  name: string;
  title: string;
}

export interface Scenario extends Named {
  /** Takes too long for every run: only when `--only` names it. */
  onRequestOnly?: boolean;
  run: (world: BenchWorld, options: BenchOptions) => Promise<Figure>;
}

/**
 * Has a world of its own and gives figure after figure; runs only when `--only` names it. What it misses makes the
 * bench fail.
 */
export interface StandaloneScenario extends Named {
  run: (options: BenchOptions, note: (line: string) => void) => AsyncGenerator<Figure, void, void>;
}
