import { mkdir, rename, stat } from 'node:fs/promises';
import path from 'node:path';
import { readShapedRows, type ShapedRow } from '../adapters/data-engine/snapshot/read-shaped-rows.js';
import { openDuckSession } from '../adapters/data-engine/duck-session.js';
import { validateAndShapePartition } from '../adapters/data-engine/snapshot/validate-and-shape-partition.js';
import { PerdureError } from '../domain/errors.js';
import type { Partition } from '../domain/partition.js';
import { shapeDigest } from '../domain/data/snapshot/snapshot-shape.js';
import { prepareFlightMonth } from '../infra/main-job/flights-data.js';
import flightDelay from '../models/flight-delay/model.js';

/** A month of flights, shaped by the model's own contract; a file in `folder`, made once. */
export async function shapedMonth(projectRoot: string, folder: string, month: Partition): Promise<string> {
  const shaped = path.join(folder, `shaped-${month}-${shapeDigest(flightDelay).slice(0, 16)}.parquet`);
  if (await stat(shaped).catch(() => undefined)) return shaped;
  await mkdir(folder, { recursive: true });
  const { flights, weather, planes } = await prepareFlightMonth({
    month,
    datasetsDir: path.join(projectRoot, '.tools', 'datasets'),
    outDir: folder,
  });
  const { file, report } = await validateAndShapePartition({
    openSession: openDuckSession,
    definition: flightDelay,
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

/** Real flights, as an application would ask for them. */
export function flightRows(file: string, limit: number): Promise<ShapedRow[]> {
  return readShapedRows({ file, contract: flightDelay.contract, limit });
}
