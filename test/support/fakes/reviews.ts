import type { ReviewActivities } from '../../../activities/rollout/reviews.js';
import { championOf } from '../../../domain/serving/route.js';
import type { WorldFacts } from './world-facts.js';

/** The review of a rollout by late labels. */
export function fakeReviews(world: WorldFacts): ReviewActivities {
  return {
    planReview: async () => ({ model: 'flight-delay', environment: 'production', version: 2, ...world.review }),
    lookAtLabels: async ({ last }) => {
      const verdict = (world.lateVerdicts.length > 1 ? world.lateVerdicts.shift() : world.lateVerdicts[0]) ?? 'no-data';
      const word = { verdict, reason: `late labels say ${verdict}`, coveragePct: 90, at: '2026-01-01T00:00:00.000Z' };
      return { decided: last || verdict === 'pass' || verdict === 'fail', word };
    },
    recordLastWord: async ({ word }) => void world.lastWords.push(word),
    epochToLeave: async ({ version }) => {
      const route = world.routes.at(-1);
      return route && championOf(route.split) === version ? route.epoch : null;
    },
  };
}
