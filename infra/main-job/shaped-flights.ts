import { mkdir, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { openDuckSession } from '../../adapters/data-engine/duck-session.js';
import { validateAndShapePartition } from '../../adapters/data-engine/snapshot/validate-and-shape-partition.js';
import { shapeDigest } from '../../domain/data/snapshot/snapshot-shape.js';
import { PerdureError } from '../../domain/errors.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import type { Partition } from '../../domain/partition.js';
import { prepareFlightMonth } from './flights-data.js';

/** A month of flights, shaped by the model's own contract: a Parquet file in `folder`, made once. */
export async function shapedFlights({
  projectRoot,
  folder,
  definition,
  month,
}: {
  projectRoot: string;
  folder: string;
  definition: ModelDefinition;
  month: Partition;
}): Promise<string> {
  const shaped = path.join(folder, `shaped-${month}-${shapeDigest(definition).slice(0, 16)}.parquet`);
  if (await stat(shaped).catch(() => undefined)) return shaped;
  await mkdir(folder, { recursive: true });
  const { flights, weather, planes } = await prepareFlightMonth({
    month,
    datasetsDir: path.join(projectRoot, '.tools', 'datasets'),
    outDir: folder,
  });
  const { file, report } = await validateAndShapePartition({
    openSession: openDuckSession,
    definition,
    partition: month,
    tableFiles: { flights: [flights], weather: [weather], planes: [planes] },
    workDir: path.join(folder, 'work'),
    previous: [],
  });
  if (!file)
    throw new PerdureError(
      'data/invalid',
      `${month} is not valid: ${report.issues.map((issue) => issue.message).join(' ')}`,
    );
  await rename(file.path, shaped);
  return shaped;
}
