import type { Figure } from './figures/figure.js';
import type { BenchOptions } from './options.js';
import type { BenchWorld } from './world.js';

export interface Scenario {
  name: string;
  title: string;
  /** Takes too long for every run: only when `--only` names it. */
  onRequestOnly?: boolean;
  run: (world: BenchWorld, options: BenchOptions) => Promise<Figure>;
}
