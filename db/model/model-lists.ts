import { and, eq, isNull, sql } from 'drizzle-orm';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import type { Database } from '../connect.js';
import { smallestFirst, toPage, within, type Page, type PageRequest } from '../page.js';
import { definitions, models, versions, watermarks } from '../schema/index.js';

export interface ModelListRow {
  name: string;
  description: string;
  owner: string;
  schedules: ModelDefinition['triggers']['schedules'];
  definitionSha256: string;
  appliedBy: string;
  appliedAt: string;
  newestVersion: number | null;
  watermark: string | null;
}

const order = smallestFirst(models.name);

const listed = {
  name: models.name,
  definitionSha256: models.definitionSha256,
  appliedBy: models.appliedBy,
  appliedAt: models.appliedAt,
  watermark: watermarks.partition,
  newestVersion: sql<
    number | null
  >`(select max(${versions.version}) from ${versions} where ${versions.model} = ${models.name})`,
  description: sql<string>`${definitions.body} ->> 'description'`,
  owner: sql<string>`${definitions.body} ->> 'owner'`,
  schedules: sql<ModelListRow['schedules']>`${definitions.body} #> '{triggers,schedules}'`,
};

/** Models that are known and not retired, by name. */
export async function listModels(db: Database, { limit, after }: PageRequest): Promise<Page<ModelListRow>> {
  const rows = await db.orm
    .select({ ...listed, key: order.key })
    .from(models)
    .innerJoin(definitions, eq(definitions.sha256, models.definitionSha256))
    .leftJoin(watermarks, eq(watermarks.model, models.name))
    .where(within(isNull(models.retiredAt), order.after(after)))
    .orderBy(...order.orderBy)
    .limit(limit + 1);
  const { items, next } = toPage(rows, limit);
  return { items: items.map((row) => ({ ...row, appliedAt: row.appliedAt.toISOString() })), next };
}

/** One of them, with its definition in force; undefined for one that is not known, or retired. */
export async function modelRow(
  db: Database,
  name: string,
): Promise<(ModelListRow & { definition: ModelDefinition }) | undefined> {
  const [row] = await db.orm
    .select({ ...listed, definition: definitions.body })
    .from(models)
    .innerJoin(definitions, eq(definitions.sha256, models.definitionSha256))
    .leftJoin(watermarks, eq(watermarks.model, models.name))
    .where(and(isNull(models.retiredAt), eq(models.name, name)));
  return row && { ...row, appliedAt: row.appliedAt.toISOString() };
}

export interface DefinitionInForce {
  name: string;
  definitionSha256: string;
  definition: ModelDefinition;
}

/**
 * The definitions in force of all models that are not retired, by name: what `apply` compares with. As many as there
 * are models.
 */
export async function definitionsInForce(db: Database): Promise<DefinitionInForce[]> {
  return db.orm
    .select({ name: models.name, definitionSha256: models.definitionSha256, definition: definitions.body })
    .from(models)
    .innerJoin(definitions, eq(definitions.sha256, models.definitionSha256))
    .where(isNull(models.retiredAt))
    .orderBy(models.name);
}
