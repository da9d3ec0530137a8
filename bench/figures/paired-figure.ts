import { loadavg } from 'node:os';
import type { Figure, Want } from './figure.js';
import type { SideRounds } from './paired-rounds.js';
import { ratioSpread, spreadOf, type Spread } from './statistics.js';

export interface PairedFigure {
  name: string;
  title: string;
  measured: SideRounds;
  reference: SideRounds;
  wanted: (ratios: { ratio: Spread; p99Ratio: Spread }) => Want[];
}

/**
 * The figure of paired rounds: requests a second and the 99th percentile, as ratios within each pair and as they were.
 */
export function pairedFigure({ name, title, measured, reference, wanted }: PairedFigure): Figure {
  const of = ({ results }: SideRounds, key: 'perSecond' | 'p50Ms' | 'p99Ms') => results.map((result) => result[key]);
  const ratio = ratioSpread(of(measured, 'perSecond'), of(reference, 'perSecond'));
  const p99Ratio = ratioSpread(of(measured, 'p99Ms'), of(reference, 'p99Ms'));
  const absolute = (side: SideRounds) => ({
    perSecond: spreadOf(of(side, 'perSecond')),
    p50Ms: spreadOf(of(side, 'p50Ms')),
    p99Ms: spreadOf(of(side, 'p99Ms')),
  });
  const all = [...measured.results, ...reference.results];
  const failed = all.reduce((sum, result) => sum + result.failed, 0);
  return {
    name,
    title,
    unit: 'requests/s',
    ratio,
    p99Ratio,
    measured: absolute(measured),
    reference: absolute(reference),
    failed,
    firstFailure: all.find((result) => result.firstFailure !== undefined)?.firstFailure,
    rounds: measured.results.length,
    wanted: [...wanted({ ratio, p99Ratio }), { what: 'no failed request', met: failed === 0 }],
    cpuUs: { measured: measured.cpuUs, reference: reference.cpuUs },
    loadAverage: loadavg()[0] ?? NaN,
  };
}
