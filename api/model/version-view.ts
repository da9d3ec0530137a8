import type { Route } from '../../domain/serving/route.js';
import type { ArchivalRecord } from '../../db/model/version-archive.js';
import type { VersionListRow } from '../../db/model/version-lists.js';
import type { VersionSummary } from '../../client/http/versions.js';

/** A version as lists show it, with where it is served. */
export function versionView(
  row: VersionListRow,
  routes: readonly Route[],
  archived: ReadonlyMap<number, Pick<ArchivalRecord, 'actor' | 'reason' | 'at'>>,
): VersionSummary {
  const away = archived.get(row.version);
  return {
    model: row.model,
    version: row.version,
    runId: row.runId,
    createdAt: row.createdAt.toISOString(),
    cause: causeView(row.cause),
    trainedOn: row.trainedOn,
    testedOn: row.testedOn,
    metrics: row.metrics,
    artifactSha256: row.artifactSha256,
    archived: away ? { actor: away.actor, reason: away.reason, at: away.at.toISOString() } : null,
    serving: routes
      .filter((route) => route.model === row.model)
      .flatMap((route) =>
        route.split
          .filter((part) => part.version === row.version)
          .map((part) => ({ environment: route.environment, sharePct: part.sharePct })),
      ),
  };
}

export function causeView(cause: { kind: string; id?: string | undefined; actor?: string | undefined }) {
  return {
    kind: cause.kind,
    ...(cause.id === undefined ? {} : { id: cause.id }),
    ...(cause.actor === undefined ? {} : { actor: cause.actor }),
  };
}
