import type { Environment } from '../../domain/names.js';

/** How much there is, and since when. */
export interface GrowthShape {
  models: number;
  /**
   * Of each model, registered at even distances over the whole time; each is promoted and rolled out in every
   * environment.
   */
  versions: number;
  /** Months of service that lie behind. */
  months: number;
  /** Predictions a day of each model in each environment. */
  perDay: number;
  from: Date;
  to: Date;
  environments: readonly Environment[];
}

const dayMs = 24 * 3_600_000;

export function growthShape(
  given: Pick<GrowthShape, 'models' | 'versions' | 'months' | 'perDay'>,
  now: Date,
): GrowthShape {
  const from = new Date(now);
  from.setUTCMonth(from.getUTCMonth() - given.months);
  return { ...given, from, to: now, environments: ['production', 'staging'] };
}

/** `growth-001`, `growth-002`, …: as wide as the last of them. */
export const modelName = ({ models }: Pick<GrowthShape, 'models'>, number: number): string =>
  `growth-${String(number).padStart(Math.max(3, String(models).length), '0')}`;

export const modelNames = (shape: GrowthShape): string[] =>
  Array.from({ length: shape.models }, (_, index) => modelName(shape, index + 1));

/** UTC days of the time, the first and the last included. */
export function daysOf({ from, to }: Pick<GrowthShape, 'from' | 'to'>): string[] {
  const days: string[] = [];
  for (let at = Math.floor(from.getTime() / dayMs) * dayMs; at <= to.getTime(); at += dayMs)
    days.push(new Date(at).toISOString().slice(0, 10));
  return days;
}

/** Months of the lake, `YYYY-MM`, the first and the last included. */
export const monthsOf = (shape: Pick<GrowthShape, 'from' | 'to'>): string[] => [
  ...new Set(daysOf(shape).map((day) => day.slice(0, 7))),
];
