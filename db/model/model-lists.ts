import { and, eq, isNull, sql } from 'drizzle-orm';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import type { Database } from '../connect.js';
import { definitions, models, versions, watermarks } from '../schema/index.js';

export interface ModelRow {
  name: string;
  definitionSha256: string;
  definition: ModelDefinition;
  appliedBy: string;
  appliedAt: string;
  newestVersion: number | null;
  watermark: string | null;
}

/** Models that are known and not retired, or the one that is named, with the definition in force, by name. */
export async function listModels(db: Database, name?: string): Promise<ModelRow[]> {
  const rows = await db.orm
    .select({
      name: models.name,
      definitionSha256: models.definitionSha256,
      definition: definitions.body,
      appliedBy: models.appliedBy,
      appliedAt: models.appliedAt,
      watermark: watermarks.partition,
      newestVersion: sql<
        number | null
      >`(select max(${versions.version}) from ${versions} where ${versions.model} = ${models.name})`,
    })
    .from(models)
    .innerJoin(definitions, eq(definitions.sha256, models.definitionSha256))
    .leftJoin(watermarks, eq(watermarks.model, models.name))
    .where(and(isNull(models.retiredAt), name === undefined ? undefined : eq(models.name, name)))
    .orderBy(models.name);
  return rows.map((row) => ({ ...row, appliedAt: row.appliedAt.toISOString() }));
}
