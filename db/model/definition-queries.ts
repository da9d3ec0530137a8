import { and, eq, isNull, sql } from 'drizzle-orm';
import { digestOf } from '../../domain/canonical-json.js';
import { contractSchema, type Contract } from '../../domain/data/contract.js';
import { PerdureError } from '../../domain/errors.js';
import { definitionDigest, readDefinition, type ModelDefinition } from '../../domain/model/model-definition.js';
import { nearestNames } from '../../domain/text/nearest-names.js';
import type { Database } from '../connect.js';
import { definitions, models } from '../schema/index.js';

/** Makes a definition the one in force. Applying the same again changes nothing. */
export async function applyDefinition(
  db: Database,
  definition: ModelDefinition,
  appliedBy: string,
): Promise<{ sha256: string; changed: boolean }> {
  return db.orm.transaction((tx) => putDefinition(tx, definition, appliedBy));
}

export interface DefinitionsOrder {
  definitions: readonly ModelDefinition[];
  /** Taken out of those that are known; their versions and routes stay. */
  retired: readonly string[];
  appliedBy: string;
}

/** Makes definitions the ones in force, all of them or none. @param beforeCommit what must have worked too */
export async function applyDefinitionsWhole(
  db: Database,
  { definitions: given, retired, appliedBy }: DefinitionsOrder,
  beforeCommit: () => Promise<void>,
): Promise<void> {
  await db.orm.transaction(async (tx) => {
    for (const definition of given) await putDefinition(tx, definition, appliedBy);
    for (const model of retired) await retire(tx, model);
    await beforeCommit();
  });
}

/** Takes a model out of those that are known; its versions and routes stay. */
export const retireModel = (db: Database, model: string): Promise<void> => retire(db.orm, model);

async function retire(orm: Pick<Database['orm'], 'update'>, model: string): Promise<void> {
  await orm
    .update(models)
    .set({ retiredAt: sql`now()` })
    .where(and(eq(models.name, model), isNull(models.retiredAt)));
}

type Transaction = Parameters<Parameters<Database['orm']['transaction']>[0]>[0];

async function putDefinition(
  tx: Transaction,
  definition: ModelDefinition,
  appliedBy: string,
): Promise<{ sha256: string; changed: boolean }> {
  const sha256 = definitionDigest(definition);
  await tx.insert(definitions).values({ sha256, model: definition.name, body: definition }).onConflictDoNothing();
  const [before] = await tx.select().from(models).where(eq(models.name, definition.name)).for('update');
  if (before?.definitionSha256 === sha256 && before.retiredAt === null) return { sha256, changed: false };
  await tx
    .insert(models)
    .values({ name: definition.name, definitionSha256: sha256, appliedBy })
    .onConflictDoUpdate({
      target: models.name,
      set: { definitionSha256: sha256, appliedBy, appliedAt: sql`now()`, retiredAt: null },
    });
  return { sha256, changed: true };
}

/** Keeps a definition that one run alone uses. Returns its digest. */
export async function keepDefinition(db: Database, definition: ModelDefinition): Promise<string> {
  const sha256 = definitionDigest(definition);
  await db.orm.insert(definitions).values({ sha256, model: definition.name, body: definition }).onConflictDoNothing();
  return sha256;
}

/** The definition in force. @throws PerdureError `model/unknown` that names the nearest there are. */
export async function definitionInForce(
  db: Database,
  model: string,
): Promise<{ sha256: string; definition: ModelDefinition }> {
  const [found] = await db.orm
    .select({ sha256: models.definitionSha256, body: definitions.body })
    .from(models)
    .innerJoin(definitions, eq(definitions.sha256, models.definitionSha256))
    .where(and(eq(models.name, model), isNull(models.retiredAt)));
  if (found) return { sha256: found.sha256, definition: readDefinition(found.body) };
  throw await unknownModel(db, model);
}

/** Names in a message: whoever mistyped one finds it among them, and nobody reads more. */
const namesToldMax = 20;

async function unknownModel(db: Database, model: string): Promise<PerdureError> {
  const known = await db.orm
    .select({ name: models.name })
    .from(models)
    .where(isNull(models.retiredAt))
    .orderBy(models.name);
  const names = known.map(({ name }) => name);
  const near = nearestNames(model, names);
  const told =
    names.length <= namesToldMax
      ? `Known models: ${names.join(', ') || 'none yet'}.`
      : `${near.length > 0 ? `Did you mean ${near.join(' or ')}? ` : ''}\`perdure models ls\` lists all ` +
        `${names.length}.`;
  return new PerdureError(
    'model/unknown',
    `model: no model is called ${JSON.stringify(model)}. ${told} After adding one, run \`perdure apply\`.`,
    { model },
  );
}

/** @throws PerdureError `definition/unknown`. */
export async function definitionByDigest(db: Database, sha256: string): Promise<ModelDefinition> {
  const [row] = await db.orm.select().from(definitions).where(eq(definitions.sha256, sha256));
  if (!row) throw new PerdureError('definition/unknown', `No definition has the digest ${sha256}.`, { sha256 });
  return readDefinition(row.body);
}

/**
 * The definition that judges a model now, whatever definition a version was trained by.
 * @throws PerdureError `model/unknown`; `state/conflict` for a retired model, whose rules are in force no longer;
 * `artifact/digest-mismatch` for a stored definition that is not what its digest says.
 */
export async function rulesInForce(
  db: Database,
  model: string,
): Promise<{ sha256: string; definition: ModelDefinition }> {
  const [known] = await db.orm.select({ retiredAt: models.retiredAt }).from(models).where(eq(models.name, model));
  if (known && known.retiredAt !== null)
    throw new PerdureError(
      'state/conflict',
      `${model} was retired at ${known.retiredAt.toISOString()}: it has no rules in force, so none of its versions ` +
        'is promoted. Apply its definition again.',
      { model },
    );
  const inForce = await definitionInForce(db, model);
  await mustBeAsStored(db, model, inForce.sha256);
  return inForce;
}

/** @throws PerdureError `artifact/digest-mismatch` for a definition that was changed where it is stored. */
export async function mustBeAsStored(db: Database, model: string, sha256: string): Promise<void> {
  const stored = await storedDefinitionDigest(db, sha256);
  if (stored === sha256) return;
  throw new PerdureError(
    'artifact/digest-mismatch',
    `The definition ${sha256} of ${model} was changed in the database: it is now ${stored}. Restore the row, ` +
      `or apply the model's definition again.`,
    { model, sha256 },
  );
}

/**
 * The contract of a stored definition, whatever else stands in it: what callers were promised is to be read even where
 * its policies no longer are.
 */
export async function contractByDigest(db: Database, sha256: string): Promise<Contract> {
  const [row] = await db.orm.select({ body: definitions.body }).from(definitions).where(eq(definitions.sha256, sha256));
  if (!row) throw new PerdureError('definition/unknown', `No definition has the digest ${sha256}.`, { sha256 });
  return contractSchema.parse(row.body.contract);
}

/** The digest of a definition's body as it is stored now. @throws PerdureError `not-found`. */
export async function storedDefinitionDigest(db: Database, sha256: string): Promise<string> {
  const [row] = await db.orm.select({ body: definitions.body }).from(definitions).where(eq(definitions.sha256, sha256));
  if (!row) throw new PerdureError('not-found', `No definition has the digest ${sha256}.`, { sha256 });
  return digestOf(row.body);
}
