import { z } from 'zod';
import { environmentSchema } from '../names.js';
import { unboundedBin, unboundedBins, unboundedValue } from './unbounded-bins.js';
import type { ComparedNumber } from '../tasks/task.js';

/** Upper bounds of the gateways' latency histogram, in milliseconds; a last bucket holds what is slower. */
export const latencyBoundsMs = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000] as const;

/** Scores from 0 to 1 fall in 100 equal bins; numbers without bounds in those of `unbounded-bins.ts`. */
export const scoreBins = 100;

type Bins = ComparedNumber['bins'];

export const binsOf = (bins: Bins): number => (bins === 'unit' ? scoreBins : unboundedBins);

/** Of what is outside of [0, 1] the outermost; below 0 or NaN for what is no number. */
export function scoreBin(bins: Bins, value: number): number {
  if (bins === 'unbounded') return unboundedBin(value);
  return Math.min(scoreBins - 1, Math.max(0, Math.floor(value * scoreBins)));
}

/** The number that stands for a bin, told by how many bins there are. */
export function scoreOfBin(bin: number, bins: number): number {
  return bins === unboundedBins ? unboundedValue(bin) : (bin + 0.5) / bins;
}

/**
 * Why a version answered: it was chosen by the split, or answered a copy, or a tester or an explicit version asked for
 * it. Only the first two are judged.
 */
export const servingRoleSchema = z.enum(['split', 'shadow', 'override']);
export type ServingRole = z.infer<typeof servingRoleSchema>;

/**
 * What one gateway counted for one version under one route epoch in a short stretch of time. Sent to Postgres every few
 * seconds; the judge adds them up.
 */
export const servingWindowSchema = z.strictObject({
  /** Unique: gateway process and a rising number, so that sending twice counts once. */
  id: z.string(),
  gatewayId: z.string(),
  environment: environmentSchema,
  model: z.string(),
  version: z.number().int(),
  epoch: z.number().int(),
  role: servingRoleSchema,
  /**
   * Counted just after a version of the route was loaded: caches are cold, so the judge leaves these minutes out, for
   * every version alike.
   */
  cold: z.boolean(),
  from: z.iso.datetime(),
  to: z.iso.datetime(),
  requests: z.number().int(),
  /**
   * Requests that the version did not answer though its route takes them. What the route refuses is not counted at all.
   */
  errors: z.number().int(),
  /** Counts per latency bucket, one more than there are bounds. */
  latency: z.array(z.number().int()).length(latencyBoundsMs.length + 1),
  /** Counts per score bin, of every row answered; the task says what of a row is its score (`compared`). */
  scores: z
    .array(z.number().int())
    .refine(({ length }) => length === scoreBins || length === unboundedBins, 'has a number of bins that nobody knows'),
});
export type ServingWindow = z.infer<typeof servingWindowSchema>;

/** Grains of rolled-up windows, the finest first. */
export const servingGrains = ['minute', 'hour', 'day'] as const;
export type ServingGrain = (typeof servingGrains)[number];

/**
 * A window's id taken apart: a gateway process numbers its windows and hands them over in order, so that what was
 * counted of it is known by one number. An id without a number at its end is a source of its own.
 */
export function servingWindowSequence(id: string): { source: string; number: number } {
  const digits = /\d{1,15}$/.exec(id)?.[0] ?? '';
  return { source: id.slice(0, id.length - digits.length), number: Number(digits) };
}
