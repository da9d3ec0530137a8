import { and, desc, eq, lte } from 'drizzle-orm';
import { PerdureError } from '../../domain/errors.js';
import type { PassportFacts, PassportQuestion } from '../../domain/serving/passport.js';
import type { Database } from '../connect.js';
import { promotionDecisions, promotions, routes, versions } from '../schema/index.js';

/** Where a served version came from, who let it in, and the route under which it answered. */
export async function passportFacts(
  db: Database,
  { environment, model, version, epoch, at }: PassportQuestion,
): Promise<PassportFacts> {
  const [[registered], [route], [promotion]] = await Promise.all([
    db.orm
      .select()
      .from(versions)
      .where(and(eq(versions.model, model), eq(versions.version, version))),
    db.orm
      .select()
      .from(routes)
      .where(and(eq(routes.environment, environment), eq(routes.model, model), eq(routes.epoch, epoch))),
    db.orm
      .select()
      .from(promotions)
      .where(
        and(
          eq(promotions.environment, environment),
          eq(promotions.model, model),
          eq(promotions.version, version),
          lte(promotions.requestedAt, at),
        ),
      )
      .orderBy(desc(promotions.requestedAt))
      .limit(1),
  ]);
  if (registered === undefined) {
    throw new PerdureError(
      'not-found',
      `${model}@${version} is not in this gateway's registry: the prediction comes from another installation.`,
    );
  }
  const decisions =
    promotion === undefined
      ? []
      : await db.orm
          .select()
          .from(promotionDecisions)
          .where(and(eq(promotionDecisions.promotionId, promotion.id), eq(promotionDecisions.counted, true)))
          .orderBy(promotionDecisions.sequence);
  const { runId, snapshotSha256, artifactSha256, definitionSha256 } = registered;
  return {
    version: {
      runId,
      snapshotSha256,
      artifactSha256,
      definitionSha256,
      registeredAt: registered.createdAt.toISOString(),
    },
    route:
      route === undefined
        ? null
        : { split: route.split, standby: route.standby, reason: route.reason, at: route.at.toISOString() },
    promotion:
      promotion === undefined
        ? null
        : {
            id: promotion.id,
            state: promotion.state,
            requestedBy: promotion.requestedBy,
            evidenceSha256: promotion.evidenceSha256,
            approvedBy: decisions
              .filter(({ decision }) => decision === 'approve')
              .map(({ actor, via, comment, at: decidedAt }) => ({ actor, via, comment, at: decidedAt.toISOString() })),
          },
  };
}
