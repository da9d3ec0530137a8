import type { Comparison, RolloutStage } from './judge/rollout-stage.js';
import type { RolloutPolicy, RolloutStep } from './rollout-policy.js';
import type { RouteTarget } from '../serving/route.js';

/** The stages of a policy. Without a champion to compare with there is one: everything, unjudged. */
export function stagesOf(policy: RolloutPolicy, { hasChampion }: { hasChampion: boolean }): RolloutStage[] {
  if (!hasChampion) return [everything('first version')];
  switch (policy.strategy) {
    case 'canary':
      return policy.steps.map(canaryStage);
    case 'blue-green':
      return [
        { ...everything('green on standby'), kind: 'standby', challengerPct: 0, standby: 'challenger' },
        { ...everything('bake'), ...policy.bake, kind: 'bake', standby: 'champion', comparison: 'before' },
        everything('blue is unloaded'),
      ];
    case 'shadow': {
      const { samplePct, minRequests, minSeconds, maxSeconds } = policy;
      const shadow: RolloutStage = {
        ...everything(`shadow of ${samplePct} %`),
        ...{ kind: 'shadow', challengerPct: 0, shadowPct: samplePct, comparison: 'same-minutes' },
        ...{ minRequests, minSeconds, maxSeconds },
      };
      return [shadow, ...policy.steps.map(canaryStage)];
    }
    case 'ab': {
      const { challengerPct, minSeconds, horizon } = policy;
      const ab: RolloutStage = {
        ...everything(`A/B at ${challengerPct} %`),
        ...{ kind: 'ab', challengerPct, comparison: 'same-minutes', decides: 'better' },
        ...{ minRequests: 1, minSeconds, maxSeconds: horizon.maxSeconds },
      };
      return [ab, everything('winner takes all')];
    }
    case 'direct':
      return [everything(`direct: ${policy.reason}`)];
    default:
      return policy satisfies never;
  }
}

/** The route of a stage. The champion stands first until the challenger has everything. */
export function routeOfStage(
  stage: Pick<RolloutStage, 'challengerPct' | 'shadowPct' | 'standby'>,
  { champion, challenger, alsoShadow, testers }: RolloutParties,
): RouteTarget {
  const none: RouteTarget = {
    split: [{ version: challenger, sharePct: 100 }],
    shadows: [],
    standby: [],
    overrides: [],
  };
  if (champion === null || champion === challenger) return none;
  const { challengerPct, shadowPct, standby } = stage;
  const shadows =
    shadowPct > 0 ? [challenger, ...alsoShadow].map((version) => ({ version, samplePct: shadowPct })) : [];
  const tested = testers.keys.length + testers.headers.length > 0 && challengerPct < 100;
  return {
    split:
      challengerPct >= 100
        ? none.split
        : [
            { version: champion, sharePct: 100 - challengerPct },
            ...(challengerPct > 0 ? [{ version: challenger, sharePct: challengerPct }] : []),
          ],
    shadows,
    standby: standby === 'none' ? [] : [standby === 'champion' ? champion : challenger],
    overrides: tested ? [{ version: challenger, ...testers }] : [],
  };
}

export interface RolloutParties {
  champion: number | null;
  challenger: number;
  /** Further versions that are compared as shadows and never take traffic. */
  alsoShadow: readonly number[];
  testers: { keys: string[]; headers: { name: string; value: string }[] };
}

function everything(name: string): RolloutStage {
  return {
    ...{
      name,
      kind: 'everything',
      challengerPct: 100,
      shadowPct: 0,
      standby: 'none',
      comparison: 'none',
      decides: 'not-worse',
    },
    ...{ minRequests: 0, minSeconds: 0, maxSeconds: 3600 },
  };
}

/**
 * A step of a canary as a stage. At full share the champion answers nothing any more: it is judged by what it did
 * before.
 */
export function canaryStage({ sharePct, ...bounds }: RolloutStep): RolloutStage {
  const comparison: Comparison = sharePct >= 100 ? 'before' : 'same-minutes';
  return { ...everything(`canary of ${sharePct} %`), ...bounds, kind: 'canary', challengerPct: sharePct, comparison };
}
