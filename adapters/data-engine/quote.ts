/** An SQL identifier, quoted: any name is safe. */
export function quoteName(name: string): string {
  return `"${withoutNul(name).replaceAll('"', '""')}"`;
}

/** An SQL text literal. */
export function quoteText(text: string): string {
  return `'${withoutNul(text).replaceAll("'", "''")}'`;
}

/** An SQL double literal. @throws RangeError for NaN and infinities. */
export function quoteNumber(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`${value} is not a finite number`);
  return `CAST('${value}' AS DOUBLE)`;
}

function withoutNul(text: string): string {
  if (text.includes('\0')) throw new RangeError('a NUL character cannot be written in SQL');
  return text;
}
