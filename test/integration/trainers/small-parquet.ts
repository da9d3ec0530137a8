import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import type { TrainerSpec } from '../../../domain/training/trainer.js';

/**
 * Rows with everything that goes wrong between a library and ONNX: strings with null, empty and unseen levels, numbers
 * that are not exact in float32, missing in both parts or only in the holdout, and a string that is always missing.
 * Made from hashes, so always the same.
 */
export async function writeSmallParquet(folder: string): Promise<{ train: string; holdout: string }> {
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  const files = { train: path.join(folder, 'train.parquet'), holdout: path.join(folder, 'holdout.parquet') };
  const uniform = (name: string) => `((hash(i, '${name}') % 1000003) / 1000003.0)`;
  try {
    for (const [part, from, to] of [
      ['train', 0, 3000],
      ['holdout', 3000, 4500],
    ] as const) {
      const unseen = part === 'holdout' ? `WHEN ${uniform('unseen')} < 0.1 THEN 'nova'` : '';
      const hole = part === 'holdout' ? `${uniform('hole')} < 0.1` : 'false';
      await connection.run(`COPY (
        SELECT *, (size * 2 + coalesce(wind, 3) / 10 + CASE city WHEN 'Zürich' THEN 1 WHEN 'Ávila' THEN -1 ELSE 0
        END + ${uniform('noise')} > 1.9) AS late,
          CASE WHEN size > 0.66 THEN 'large' WHEN size > 0.33 THEN 'middle' ELSE 'small' END AS band,
          (CASE WHEN size > 0.5 THEN 7 ELSE 3 END) AS grade,
          (size * 2 + coalesce(wind, 3) / 10 + ${uniform('noise')} - 1.5) * 1000 AS cost,
          'query ' || (hash(i, 'query') % 150) AS query,
          (floor(size * 4))::INT AS relevance
        FROM (SELECT i,
          CASE ${unseen} WHEN ${uniform('null')} < 0.1 THEN NULL WHEN ${uniform('empty')} < 0.05 THEN ''
            ELSE (['Zürich', 'Ávila', 'oslo', 'Oslo', '東京'])[1 + (hash(i, 'city') % 5)::INT] END AS city,
          NULL::VARCHAR AS remark,
          CASE WHEN ${hole} THEN NULL ELSE (${uniform('size')})::FLOAT END AS size,
          CASE WHEN ${uniform('calm')} < 0.3 THEN NULL ELSE ((${uniform('wind')} - 0.5) * 17.3)::FLOAT END AS wind
          FROM range(${from}, ${to}) rows(i))
        WHERE late IS NOT NULL ORDER BY i) TO '${files[part]}' (FORMAT parquet)`);
    }
  } finally {
    connection.closeSync();
  }
  return files;
}

export function smallSpec(files: { train: string; holdout: string }, changes: Partial<TrainerSpec> = {}): TrainerSpec {
  return {
    specVersion: 2,
    task: 'binary',
    model: 'small',
    algorithm: 'lightgbm',
    parameters: {},
    seed: 7,
    features: [
      { name: 'city', type: 'string', nullable: true },
      { name: 'remark', type: 'string', nullable: true },
      { name: 'size', type: 'number', nullable: true },
      { name: 'wind', type: 'number', nullable: true },
    ],
    label: { name: 'late', type: 'boolean' },
    trainFiles: [files.train],
    holdoutFiles: [files.holdout],
    threads: 2,
    memoryMb: 2048,
    ...changes,
  };
}
