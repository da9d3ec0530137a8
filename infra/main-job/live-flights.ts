import { mkdir, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { openDuckSession } from '../../adapters/data-engine/duck-session.js';
import { validateAndShapePartition } from '../../adapters/data-engine/snapshot/validate-and-shape-partition.js';
import { PerdureError } from '../../domain/errors.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import type { Partition } from '../../domain/partition.js';
import { shapeDigest } from '../../domain/data/snapshot/snapshot-shape.js';
import type { PerdureConfig } from '../../perdure.config.js';
import { prepareFlightMonth } from './flights-data.js';
import { flightsAsRequests, type FlightRequest } from './flights-requests.js';

/**
 * A month's flights as an application would ask for them: shaped by the model's own contract, with the answers that
 * become known later.
 */
export async function liveFlights({
  config,
  definition,
  month,
}: {
  config: PerdureConfig;
  definition: ModelDefinition;
  month: Partition;
}): Promise<FlightRequest[]> {
  const folder = path.join(config.home, 'cache', 'flights');
  const shaped = path.join(folder, `shaped-${month}-${shapeDigest(definition).slice(0, 16)}.parquet`);
  if (!(await stat(shaped).catch(() => undefined))) {
    const { flights, weather, planes } = await prepareFlightMonth({
      month,
      datasetsDir: path.join(config.projectRoot, '.tools', 'datasets'),
      outDir: folder,
    });
    const workDir = path.join(folder, 'work');
    await mkdir(workDir, { recursive: true });
    const { file, report } = await validateAndShapePartition({
      openSession: openDuckSession,
      definition,
      partition: month,
      tableFiles: { flights: [flights], weather: [weather], planes: [planes] },
      workDir,
      previous: [],
    });
    if (!file)
      throw new PerdureError(
        'data/invalid',
        `${month} is not valid: ${report.issues.map((issue) => issue.message).join(' ')}`,
      );
    await rename(file.path, shaped);
  }
  return flightsAsRequests({ file: shaped, contract: definition.contract });
}
