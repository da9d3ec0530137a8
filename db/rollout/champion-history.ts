import type { Environment } from '../../domain/names.js';
import type { Route } from '../../domain/serving/route.js';
import { championHistory, type RolloutOutcome, type SetBack } from '../../domain/rollout/champion-history.js';
import type { Database } from '../connect.js';
import { rolloutOutcomes } from './rollout-queries.js';
import { routeHistory } from '../serving/route-queries.js';

/**
 * What a model's record of service in an environment is read from: its routes, oldest first, and how its rollouts
 * ended.
 */
export async function championPast(
  db: Database,
  environment: Environment,
  model: string,
): Promise<{ history: Route[]; rollouts: RolloutOutcome[] }> {
  const [history, rollouts] = await Promise.all([
    routeHistory(db, model, environment),
    rolloutOutcomes(db, environment, model),
  ]);
  return { history, rollouts };
}

/**
 * When and why a version was taken back in an environment, and has not been brought in by a rollout since; null where
 * it was not.
 */
export async function setBackOf(
  db: Database,
  { environment, model, version }: { environment: Environment; model: string; version: number },
): Promise<SetBack | null> {
  const { history, rollouts } = await championPast(db, environment, model);
  return championHistory(history, rollouts).setBack.get(version) ?? null;
}
