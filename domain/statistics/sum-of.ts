export function sumOf(counts: readonly number[]): number {
  return counts.reduce((all, count) => all + count, 0);
}
