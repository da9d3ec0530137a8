import type { Check, RouteRow } from '../facts.js';

/** A route's share may be missed by so many standard deviations; of a million honest epochs one misses five. */
const deviationsMax = 5;

/**
 * Every answer names an epoch that was written and comes from a version to which that epoch gives traffic: never from
 * one that only stands by or answers as a shadow. Of an epoch's answers the challenger has no more than its share, but
 * for chance.
 */
export const answersAsRouted: Check = ({ routes, asked }) => {
  const byEpoch = new Map<number, RouteRow>(routes.map(({ row }) => [row.epoch, row]));
  const counts = new Map<number, Map<number, number>>();
  const problems: string[] = [];
  for (const { id, answer } of asked) {
    if (answer === null) continue;
    const route = byEpoch.get(answer.epoch);
    if (route === undefined) problems.push(`${id} was answered under epoch ${answer.epoch}, which nobody wrote`);
    else if (!route.split.some(({ version }) => version === answer.version))
      problems.push(`${id} was answered by version ${answer.version}, to which epoch ${answer.epoch} gives nothing`);
    const versions = counts.get(answer.epoch) ?? new Map<number, number>();
    counts.set(answer.epoch, versions.set(answer.version, (versions.get(answer.version) ?? 0) + 1));
  }
  return [...problems, ...[...counts].flatMap(([epoch, versions]) => overServed(byEpoch.get(epoch), versions))];
};

/** The last version of a split of two is the challenger. */
function overServed(route: RouteRow | undefined, versions: ReadonlyMap<number, number>): string[] {
  const challenger = route?.split.length === 2 ? route.split[1] : undefined;
  if (route === undefined || challenger === undefined) return [];
  const all = [...versions.values()].reduce((sum, count) => sum + count, 0);
  const granted = challenger.sharePct / 100;
  const most = all * granted + deviationsMax * Math.sqrt(all * granted * (1 - granted)) + 1;
  const got = versions.get(challenger.version) ?? 0;
  return got > most
    ? [
        `under epoch ${route.epoch} version ${challenger.version} answered ${got} of ${all}, it was granted ` +
          `${challenger.sharePct} %`,
      ]
    : [];
}
