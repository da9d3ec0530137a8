import { grouped, isOver, latest, type Check } from '../facts.js';

/**
 * There is one champion at a time: routes are only ever added, their epochs rise by one from 1 without a gap, each has
 * a key of its own, its shares make 100, and once no rollout goes on the last route gives everything to one version.
 */
export const oneChampion: Check = ({ routes, rollouts }) => {
  const changed = routes
    .filter(({ change }) => change !== 'INSERT')
    .map(({ change, row }) => `epoch ${row.epoch} was changed: ${change}`);
  const keys = routes.map(({ row }) => row.idempotencyKey);
  const twice = keys
    .filter((key, at) => keys.indexOf(key) !== at)
    .map((key) => `two routes were written under the key ${key}`);
  const perModel = grouped(routes, ({ row }) => `${row.environment} ${row.model}`).flatMap((group) => {
    const name = `${group[0]?.row.environment} ${group[0]?.row.model}`;
    const gaps = group.flatMap(({ row }, at) =>
      row.epoch === at + 1 ? [] : [`${name}: epoch ${row.epoch} was written as number ${at + 1}`],
    );
    const shares = group.flatMap(({ row: { split, epoch } }) => {
      const whole = split.reduce((sum, part) => sum + part.sharePct, 0);
      const versions = new Set(split.map((part) => part.version));
      const sound =
        Math.abs(whole - 100) < 1e-9 && versions.size === split.length && split.every((part) => part.sharePct > 0);
      return sound ? [] : [`${name}: the split of epoch ${epoch} is ${JSON.stringify(split)}`];
    });
    const running = latest(rollouts, ({ id }) => id).some(
      ({ environment, model, state }) => `${environment} ${model}` === name && !isOver(state),
    );
    const last = group.at(-1)?.row;
    const unsettled =
      !running && last && last.split.length !== 1
        ? [`${name}: no rollout goes on, and epoch ${last.epoch} has ${last.split.length} versions`]
        : [];
    return [...gaps, ...shares, ...unsettled];
  });
  return [...changed, ...twice, ...perModel];
};
