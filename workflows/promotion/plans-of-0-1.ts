import type { PlannedRollout } from '../../activities/rollout/rollouts.js';
import { canaryStage } from '../../domain/rollout/strategy-stages.js';

/**
 * What `planRollout` answered before there were strategies: the canary's steps. Rollouts that were planned so go on as
 * they were planned.
 */
interface PlannedBy01 {
  policy: {
    lookEverySeconds: number;
    acknowledgeWithinSeconds: number;
    onInconclusive: 'pause' | 'extend' | 'rollback';
  };
  champion: number | null;
  steps: { sharePct: number; minRequests: number; minSeconds: number; maxSeconds: number }[];
  judged: boolean;
}

export function asPlanned(plan: PlannedRollout | PlannedBy01): PlannedRollout {
  if ('stages' in plan) return plan;
  const { policy, champion, steps, judged } = plan;
  const { lookEverySeconds, acknowledgeWithinSeconds, onInconclusive } = policy;
  const stages = steps.map((step) => {
    const stage = canaryStage(step);
    return { ...stage, comparison: judged ? stage.comparison : ('none' as const), onInconclusive };
  });
  return { champion, stages, lookEverySeconds, acknowledgeWithinSeconds, lateLabels: false, changes: [] };
}

/** Further shadows of a request; requests that were parsed before there were any name none. */
export const shadowsOf = (request: { alsoShadow?: number[] }): number[] => request.alsoShadow ?? [];
