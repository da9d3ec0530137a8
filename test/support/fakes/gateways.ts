import type { AcknowledgementActivities } from '../../../activities/serving/acknowledgements.js';
import type { ProbeActivities } from '../../../activities/serving/probes.js';
import { PerdureError } from '../../../domain/errors.js';
import { versionsOfRoute } from '../../../domain/serving/route.js';
import type { WorldFacts } from './world-facts.js';

export const acknowledgedAt = '2026-01-01T00:00:01.000Z';
export const probedAt = '2026-01-01T00:00:02.000Z';

/** Gateway g1, which acknowledges routes and answers probes. */
export function fakeGateways(world: WorldFacts): AcknowledgementActivities & ProbeActivities {
  return {
    waitForAcknowledgement: async ({ epoch }) => ({
      all: world.acknowledges(epoch),
      gateways: 'g1',
      missing: world.acknowledges(epoch) ? '' : 'g1 (at epoch 1)',
    }),
    waitUntilAcknowledged: async ({ epoch }) => ({
      all: true,
      gateways: 'g1',
      missing: '',
      serving: [{ gateway: 'g1', epoch, at: acknowledgedAt }],
    }),
    probe: async ({ version }) => {
      const route = world.routes.at(-1);
      if (route && !versionsOfRoute(route).includes(version))
        return { answered: 0, probes: [], replacedBy: route.epoch };
      if (!world.answers(version)) throw new PerdureError('server/unreachable', `version ${version} does not answer`);
      const refused = world.refuses(version);
      if (refused !== undefined) return { answered: 0, probes: [], replacedBy: null, refused };
      world.probed.push(version);
      return { answered: 1, probes: [{ gateway: 'g1', version, tookMs: 3, at: probedAt }], replacedBy: null };
    },
  };
}
