import { z } from 'zod';

export const int64Min = -(2n ** 63n);
export const int64Max = 2n ** 63n - 1n;

const digits = /^-?\d{1,30}$/;

/** Exactly the number that is written, or undefined: for what is no whole number, or has more than 64 bits. */
export function int64Of(value: unknown): bigint | undefined {
  const whole =
    typeof value === 'bigint'
      ? value
      : (typeof value === 'number' && Number.isSafeInteger(value)) || (typeof value === 'string' && digits.test(value))
        ? BigInt(value)
        : undefined;
  return whole !== undefined && whole >= int64Min && whole <= int64Max ? whole : undefined;
}

/** As JSON writes it: a number where that is exact, else digits in a string. */
export function int64Json(value: bigint): number | string {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : String(value);
}

/** In a definition: a number, or digits in a string where a number would not be exact. */
export const int64Schema = z.union([
  z.int(),
  z.string().refine((text) => int64Of(text) !== undefined, 'must be the digits of a 64-bit integer'),
]);
