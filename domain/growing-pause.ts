/**
 * The pause before something is asked again that has been waited for so long: a twentieth of the wait, within bounds.
 * What comes soon is seen soon, what comes late is seen at most a twentieth later, and a wait of a year asks a few
 * hundred times.
 */
export function growingPauseMs(
  waitedMs: number,
  { leastMs, mostMs = Infinity }: { leastMs: number; mostMs?: number },
): number {
  return Math.min(Math.max(leastMs, waitedMs / 20), mostMs);
}
