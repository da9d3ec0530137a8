import { championOf, versionsOfRoute, type Route } from '../serving/route.js';

/** A rollout as far as a route's history does not tell. */
export interface RolloutOutcome {
  id: string;
  challenger: number;
  completed: boolean;
}

/** When a version was taken back, and in which words. */
export interface SetBack {
  epoch: number;
  at: string;
  reason: string;
}

export interface ChampionHistory {
  /**
   * The champions that led to the present one, each put in by a rollout that completed; a rollback takes back those
   * after its target.
   */
  line: number[];
  /** Every version that was approved and served whole: the challenger of a rollout that completed. */
  servedWhole: ReadonlySet<number>;
  /**
   * Versions that were taken back for harm, by the judge, a person or late labels, and that no rollout has brought in
   * again since.
   */
  setBack: ReadonlyMap<number, SetBack>;
  /** The newest of the routes; undefined where there is none. */
  last: Route | undefined;
}

export const noHistory: ChampionHistory = { line: [], servedWhole: new Set(), setBack: new Map(), last: undefined };

/**
 * Who served by right, and who was taken back, from the routes of one environment and model, oldest first. A challenger
 * that had everything in a stage of a rollout that did not complete has not served by right. A route that no workflow
 * wrote is taken at its word.
 * @param earlier what the routes before these say
 */
export function championHistory(
  routes: readonly Route[],
  rollouts: readonly RolloutOutcome[],
  earlier: ChampionHistory = noHistory,
): ChampionHistory {
  const known = new Map(rollouts.map((rollout) => [rollout.id, rollout]));
  const line = [...earlier.line];
  const servedWhole = new Set(earlier.servedWhole);
  const setBack = new Map(earlier.setBack);
  const comesIn = (version: number) => {
    servedWhole.add(version);
    setBack.delete(version);
    if (line.at(-1) !== version) line.push(version);
  };
  const isTakenBack = (versions: readonly number[], { epoch, at, reason }: Route) => {
    for (const version of versions) setBack.set(version, { epoch, at, reason });
  };
  let before = earlier.last?.ended === undefined ? earlier.last : undefined;
  for (const route of routes) {
    if (route.ended !== undefined) {
      line.length = 0;
      servedWhole.clear();
      before = undefined;
      continue;
    }
    const champion = championOf(route.split);
    const whole = route.split.length === 1;
    const rollout = known.get(route.writtenBy?.rolloutId ?? '');
    const left =
      before?.split.map((part) => part.version).filter((version) => !versionsOfRoute(route).includes(version)) ?? [];
    switch (route.writtenBy?.kind) {
      case 'stage':
        if (whole && rollout?.completed && champion === rollout.challenger) comesIn(champion);
        break;
      case 'back':
        isTakenBack([...left, ...(rollout ? [rollout.challenger] : [])], route);
        break;
      case 'rollback':
        isTakenBack(left, route);
        if (line.includes(champion)) line.length = line.lastIndexOf(champion) + 1;
        break;
      default:
        if (whole && champion === line.at(-2)) line.pop();
        else if (whole) comesIn(champion);
    }
    before = route;
  }
  return { line, servedWhole, setBack, last: routes.at(-1) ?? earlier.last };
}
