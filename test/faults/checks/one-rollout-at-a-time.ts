import {
  grouped,
  isOver,
  latest,
  type Check,
  type Facts,
  type LeaseRow,
  type RouteRow,
  type Written,
} from '../facts.js';

/** Of one environment and model, a rollout begins only after the one before has ended. */
export const oneRolloutAtATime: Check = ({ rollouts }) =>
  grouped(rollouts, ({ row }) => `${row.environment} ${row.model}`).flatMap((group) => {
    const open = new Set<string>();
    return group.flatMap(({ row: { id, state, challenger } }) => {
      if (isOver(state)) open.delete(id);
      else open.add(id);
      return open.size > 1 ? [`the rollout of version ${challenger} goes on beside another`] : [];
    });
  });

/** So long a rollback waits for a rollout that does not give way, and then takes its lease. */
const takeOverAfterMs = 30_000;

/**
 * A lease changes hands only after it was given back, or when a rollback has waited for long enough; under a token that
 * rises by one.
 */
export const leasesChangeHands: Check = ({ leases }) =>
  grouped(leases, ({ row }) => row.name).flatMap((group) =>
    group.flatMap(({ row }, at) => {
      const before = group[at - 1]?.row;
      if (before === undefined || row.holder === before.holder)
        return row.token < (before?.token ?? 1) ? [`${row.name}: the token fell to ${row.token}`] : [];
      return [
        ...(before.releasedAt === null && !overtakes(row, before)
          ? [`${row.name} went to ${row.holder} while ${before.holder} held it`]
          : []),
        ...(row.token === before.token + 1 ? [] : [`${row.name}: token ${row.token} follows ${before.token}`]),
      ];
    }),
  );

const overtakes = (row: LeaseRow, before: LeaseRow) =>
  row.holder.startsWith('rollback/') && Date.parse(row.acquiredAt) - Date.parse(before.acquiredAt) >= takeOverAfterMs;

/** Every route was written by the holder of the lease, under the token in force at that moment. */
export const onlyHoldersWrite: Check = (facts) =>
  facts.routes.flatMap((route) => {
    const lease = inForce(facts, route);
    if (lease !== undefined && lease.releasedAt === null && lease.token === route.row.leaseToken) return [];
    return [
      `epoch ${route.row.epoch} was written under token ${route.row.leaseToken}, in force was ` +
        `${lease?.releasedAt === null ? lease.token : 'none'}`,
    ];
  });

function inForce({ leases }: Facts, { order, row }: Written<RouteRow>) {
  return leases.findLast((lease) => lease.order < order && lease.row.name === `rollout/${row.environment}/${row.model}`)
    ?.row;
}

/**
 * What has ended is ended for a reason that the routes show: completed with the challenger whole, else with the
 * champion; and was acknowledged by a gateway before, and answered a probe. A rollout whose lease a rollback took has
 * no say in that any more.
 */
export const endsAreProven: Check = ({ rollouts, routes, acknowledgements, promotions, probes, leases }) =>
  latest(rollouts, ({ id }) => id)
    .filter(({ state, champion }) => isOver(state) && champion !== null)
    .flatMap(({ id, environment, model, state, champion, challenger, promotionId }) => {
      const end = rollouts.find(({ row }) => row.id === id && isOver(row.state))?.order ?? 0;
      const last = routes.findLast(({ row, order }) => order < end && row.idempotencyKey.startsWith(`${id}/`))?.row;
      const name = `the rollout of version ${challenger} ended ${state}`;
      if (last === undefined) return state === 'completed' ? [`${name} and wrote no route`] : [];
      const holder = leases.findLast(({ row, order }) => order < end && row.name === `rollout/${environment}/${model}`)
        ?.row.holder;
      if (state === 'aborted' && holder?.startsWith('rollback/')) return [];
      const whole = last.split.length === 1 ? last.split[0]?.version : undefined;
      const acknowledged = acknowledgements.some(
        ({ row, order }) => order < end && row.epoch >= last.epoch && row.error === null,
      );
      const promotion = latest(promotions, (row) => row.id).find((row) => row.id === promotionId);
      const wanted = state === 'completed' ? challenger : champion;
      const probe = probes.findLast(({ runId, version }) => runId === id && version === wanted);
      const probed = probe !== undefined && (probe.answered > 0 || probe.replacedBy !== null);
      const agrees =
        !promotion || promotion.state === 'rolling-out' || (promotion.state === 'promoted') === (state === 'completed');
      return [
        ...(whole === wanted ? [] : [`${name}, and version ${whole ?? 'none'} has everything`]),
        ...(acknowledged ? [] : [`${name} before any gateway had acknowledged epoch ${last.epoch}`]),
        ...(probed ? [] : [`${name} before version ${wanted} had answered a probe`]),
        ...(agrees ? [] : [`${name}, and its promotion ${promotion.state}`]),
      ];
    });

/** Every history does on the present code what it says. */
export const historiesReplay: Check = ({ replays }) =>
  Object.entries(replays).flatMap(([workflow, problem]) =>
    problem === null ? [] : [`${workflow} does not replay: ${problem}`],
  );
