const shownMax = 3;
/** Names beyond this are not compared: a message is worth no second of anybody's time. */
const comparedMax = 2000;

/**
 * Up to three of `known` that a person may have meant by `name`, the nearest first: by the number of letters to change,
 * at most a third of the longer name.
 */
export function nearestNames(name: string, known: readonly string[]): string[] {
  return known
    .slice(0, comparedMax)
    .map((candidate) => ({ candidate, edits: editDistance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ candidate, edits }) => edits <= Math.max(1, Math.floor(Math.max(name.length, candidate.length) / 3)))
    .sort((left, right) => left.edits - right.edits || (left.candidate < right.candidate ? -1 : 1))
    .slice(0, shownMax)
    .map(({ candidate }) => candidate);
}

/** Letters added, dropped or replaced, and neighbours swapped. */
function editDistance(left: string, right: string): number {
  let before: number[] = [];
  let row = Array.from({ length: right.length + 1 }, (_, index) => index);
  for (let at = 1; at <= left.length; at += 1) {
    const next = [at];
    for (let other = 1; other <= right.length; other += 1) {
      const replaced = (row[other - 1] ?? 0) + (left[at - 1] === right[other - 1] ? 0 : 1);
      const swapped =
        left[at - 1] === right[other - 2] && left[at - 2] === right[other - 1]
          ? (before[other - 2] ?? Infinity) + 1
          : Infinity;
      next.push(Math.min(replaced, swapped, (row[other] ?? 0) + 1, (next[other - 1] ?? 0) + 1));
    }
    before = row;
    row = next;
  }
  return row[right.length] ?? 0;
}
