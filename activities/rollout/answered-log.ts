import type { AnsweredLog } from '../../adapters/data-engine/prediction-log/answer-values.js';
import type { Database } from '../../db/connect.js';
import { definitionByDigest } from '../../db/model/definition-queries.js';
import { versionOf } from '../../db/model/version-queries.js';
import { declaredClasses, taskOf } from '../../domain/tasks/task-of.js';

/**
 * How the predictions of versions of a model are logged, by the contract of the first one; and the classes of each
 * where that lists none.
 */
export async function answeredLog(db: Database, model: string, versions: readonly number[]): Promise<AnsweredLog> {
  const records = await Promise.all(versions.map((version) => versionOf(db, model, version)));
  const definition = await definitionByDigest(db, records[0]?.definitionSha256 ?? '');
  const { task, contract } = definition;
  if (taskOf(definition).labelColumn !== 'label_class' || declaredClasses(contract.label) !== undefined)
    return { task, contract };
  return { task, contract, classes: new Map(records.map((one) => [one.version, one.signature.classes ?? []])) };
}
