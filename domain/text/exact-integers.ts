/** Strings, so that what looks like a number in one is passed over, and numbers. */
const tokens = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g;
/** Those that JavaScript may not hold exactly. */
const longInteger = /^-?\d{16,}$/;
/** Begins what was a number. No text of a request may hold it. */
const mark = '\u0000';

/** Whether a list holds a number that is not known exactly any more. */
export const hasRounded = (values: readonly unknown[]): boolean =>
  values.some((one) =>
    Array.isArray(one) ? hasRounded(one) : typeof one === 'number' && Math.abs(one) > Number.MAX_SAFE_INTEGER,
  );

/** JSON in which whole numbers that JavaScript rounds are marked texts; `exactIntegers` makes bigints of them. */
export const parseMarked = (json: string): unknown =>
  JSON.parse(json.replace(tokens, (token) => (longInteger.test(token) ? `"\\u0000${token}"` : token)));

export function exactIntegers(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(exactIntegers);
  if (typeof value === 'object' && value !== null)
    return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, exactIntegers(one)]));
  return typeof value === 'string' && value.startsWith(mark) ? bigintOf(value.slice(1)) : value;
}

function bigintOf(digits: string): bigint | number | string {
  if (!longInteger.test(digits)) return digits;
  const number = Number(digits);
  return Number.isSafeInteger(number) ? number : BigInt(digits);
}

/** JSON whose whole numbers are bigints where JavaScript would round them. */
export const parseExactly = (json: string): unknown =>
  /\d{16}/.test(json) ? exactIntegers(parseMarked(json)) : JSON.parse(json);
