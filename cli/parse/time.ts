import { PerdureError } from '../../domain/errors.js';

const unitMs: Record<string, number> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };
const relative = /^(\d{1,6})\s*(s|secs?|seconds?|m|mins?|minutes?|h|hours?|d|days?)\s+ago$/i;
const isoLike = /^\d{4}-\d{2}-\d{2}([T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})?)?$/i;

/**
 * A time as people write it: ISO 8601 (without a zone it is local time), or `10m ago`.
 * @throws PerdureError `input/invalid`.
 */
export function parseTime(text: string, now: Date): Date {
  const trimmed = text.trim();
  const [, amount, unit] = relative.exec(trimmed) ?? [];
  if (amount !== undefined && unit !== undefined)
    return new Date(now.getTime() - Number(amount) * (unitMs[unit.charAt(0).toLowerCase()] ?? NaN));
  // A date alone would be read as UTC; here it is the local midnight, as every other time without a zone.
  const written = /^\d{4}-\d{2}-\d{2}$/.test(trimmed) ? `${trimmed}T00:00` : trimmed.replace(' ', 'T');
  const time = isoLike.test(trimmed) ? new Date(written) : undefined;
  if (time && !Number.isNaN(time.getTime())) return time;
  throw new PerdureError(
    'input/invalid',
    `${JSON.stringify(text)} is not a time. Write it as 2013-04-01T12:00:00Z, as local time ` +
      '2013-04-01T12:00, or as 10m ago, 2h ago, 3d ago.',
  );
}
