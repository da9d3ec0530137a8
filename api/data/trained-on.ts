import type { FastifyBaseLogger } from 'fastify';
import { snapshotByDigest } from '../../db/data/partition-queries.js';
import { definitionByDigest } from '../../db/model/definition-queries.js';
import { trainedPartitions, usesOf } from '../../domain/data/snapshot/trained-partitions.js';
import type { VersionDetail } from '../../client/http/versions.js';
import type { ApiDeps } from '../deps.js';
import { judgedLake } from './lake-verdicts.js';

/**
 * What a version was trained and tested on, partition by partition, against what lies in the lake now; null where the
 * lake does not answer.
 */
export async function trainedOn(
  deps: Pick<ApiDeps, 'db' | 'objects'>,
  { definitionSha256, snapshotSha256 }: { definitionSha256: string; snapshotSha256: string },
  log: FastifyBaseLogger,
): Promise<VersionDetail['partitions']> {
  try {
    const { train, holdout } = await snapshotByDigest(deps.db, snapshotSha256);
    const uses = usesOf({ train, holdout });
    const partitions = [...uses.keys()];
    const { inputs } = await judgedLake(deps, await definitionByDigest(deps.db, definitionSha256), { partitions });
    return trainedPartitions({ train, holdout }, inputs, partitions).map((one) => ({
      ...one,
      ...(uses.get(one.partition) ?? { use: 'trained' as const, rows: 0 }),
    }));
  } catch (error) {
    log.warn({ err: error, snapshotSha256 }, 'the current content of the lake is unknown');
    return null;
  }
}
