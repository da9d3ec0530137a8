import type { Contract } from '../contract.js';
import type { PartitionSummary } from '../snapshot/snapshot-summary.js';

const NAMED_MAX = 10;

/**
 * One sentence a string feature for levels that neither the contract lists nor an earlier partition had. A feature
 * whose levels are not all known, because a profile had to cut its list, is passed over.
 */
export function newLevelNotes(question: {
  contract: Contract;
  current: PartitionSummary;
  previous: readonly PartitionSummary[];
}): string[] {
  const { contract, current, previous } = question;
  const notes: string[] = [];
  for (const column of current.profile) {
    const feature = contract.features[column.name];
    if (feature?.type !== 'string' || feature.closed) continue;
    const earlier = previous.flatMap(({ profile }) => profile.filter(({ name }) => name === column.name));
    if (earlier.length === 0 && feature.levels === undefined) continue;
    if ([column, ...earlier].some(({ distinct, topLevels }) => distinct > topLevels.length)) continue;
    const known = new Set([
      ...(feature.levels ?? []),
      ...earlier.flatMap(({ topLevels }) => topLevels.map(({ level }) => level)),
    ]);
    const fresh = column.topLevels
      .filter(({ level }) => !known.has(level))
      .sort((a, b) => (a.level < b.level ? -1 : 1));
    if (fresh.length === 0) continue;
    const named = fresh.slice(0, NAMED_MAX).map(({ level, rows }) => `${level} (${rows} rows)`);
    const more = fresh.length > NAMED_MAX ? ` and ${fresh.length - NAMED_MAX} more` : '';
    notes.push(
      `${column.name} has ${fresh.length} new ${fresh.length === 1 ? 'level' : 'levels'}: ` +
        `${named.join(', ')}${more}.`,
    );
  }
  return notes;
}
