/**
 * What keeps a text from being stored and sent on, or undefined. PostgreSQL holds no NUL, and half a surrogate pair is
 * no character: neither UTF-8 nor Parquet can write it, and what was read back would not be what was sent.
 */
export function textProblem(text: string): string | undefined {
  const nul = text.indexOf('\0');
  if (nul !== -1) return `holds the character NUL (U+0000) at position ${nul + 1}: leave it out`;
  const half = text.search(/\p{Surrogate}/u);
  return half === -1
    ? undefined
    : `holds half a surrogate pair at position ${half + 1}, which is no character: leave it out`;
}
