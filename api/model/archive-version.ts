import type { Database } from '../../db/connect.js';
import { recordArchival } from '../../db/model/version-archive.js';
import { listPromotions } from '../../db/promotion/promotion-lists.js';
import { routesOfModels } from '../../db/serving/route-lists.js';
import { PerdureError } from '../../domain/errors.js';
import { versionsOfRoute } from '../../domain/serving/route.js';
import type { ArchiveRequest } from '../../client/http/versions.js';

/**
 * Puts a version away, or brings it back.
 * @throws PerdureError `state/conflict` while it serves or is on its way.
 */
export async function archiveVersion(
  db: Database,
  params: { model: string; version: number },
  change: ArchiveRequest,
): Promise<void> {
  const [routes, open] = await Promise.all([
    routesOfModels(db, [params.model]),
    listPromotions(db, { ...params, open: true, limit: 1 }),
  ]);
  const [waiting] = open.items;
  const name = `${params.model}@${params.version}`;
  const place = routes.find((route) => versionsOfRoute(route).includes(params.version));
  if (change.archived && place)
    throw new PerdureError(
      'state/conflict',
      `${name} is served in ${place.environment}: roll it back or replace it there first.`,
    );
  if (change.archived && waiting)
    throw new PerdureError(
      'state/conflict',
      `A promotion of ${name} to ${waiting.environment} is open: reject or withdraw it first (perdure ` +
        `promotions show ${waiting.id}).`,
    );
  await recordArchival(db, { ...params, ...change });
}
