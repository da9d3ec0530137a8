const iso = /^(\d{4})-(\d{2})-(\d{2})(?:[T ](\d{2}):(\d{2})(?::(\d{2})(?:\.(\d{1,9}))?(Z|[+-]\d{2}(?::?\d{2})?)?)?)?$/;

/** 0000-01-01T00:00:00Z and 9999-12-31T23:59:59.999999Z: what ISO 8601 writes in four digits. */
export const utcMicrosMin = -62_167_219_200_000_000n;
export const utcMicrosMax = 253_402_300_799_999_999n;

/**
 * Microseconds since 1970 of an ISO 8601 time, the same texts as in training: without an offset UTC, without a time
 * midnight. Undefined for what is none, leap seconds (`:60`) and fractions beyond the microsecond included.
 */
export function utcMicros(text: string): bigint | undefined {
  const found = iso.exec(text);
  if (found === null) return undefined;
  const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = found
    .slice(1, 7)
    .map((part) => Number(part ?? 0));
  const fraction = (found[7] ?? '').padEnd(9, '0');
  const offset = offsetMinutes(found[8]);
  const isMidnight = hour === 24 && minute === 0 && second === 0 && Number(fraction) === 0;
  if ((hour > 23 && !isMidnight) || minute > 59 || second > 59 || !fraction.endsWith('000') || offset === undefined)
    return undefined;
  const date = new Date(0);
  // Not Date.UTC, which takes the years 0 to 99 for those of 1900.
  date.setUTCFullYear(year, month - 1, day);
  if (date.getUTCMonth() !== month - 1 || date.getUTCDate() !== day) return undefined;
  date.setUTCHours(hour, minute - offset, second);
  const micros = BigInt(date.getTime()) * 1000n + BigInt(fraction.slice(0, 6));
  return micros >= utcMicrosMin && micros <= utcMicrosMax ? micros : undefined;
}

function offsetMinutes(text: string | undefined): number | undefined {
  if (text === undefined || text === 'Z') return 0;
  const [hours, minutes] = [Number(text.slice(1, 3)), Number(text.slice(3).replace(':', '') || 0)];
  if (hours > 15 || minutes > 59) return undefined;
  return (text.startsWith('-') ? -1 : 1) * (60 * hours + minutes);
}

/** `2013-04-07T13:00:00Z`, with six digits behind the point where there are microseconds. */
export function utcText(micros: bigint): string {
  const rest = ((micros % 1_000_000n) + 1_000_000n) % 1_000_000n;
  const seconds = new Date(Number((micros - rest) / 1000n)).toISOString().slice(0, 19);
  return rest === 0n ? `${seconds}Z` : `${seconds}.${String(rest).padStart(6, '0')}Z`;
}
