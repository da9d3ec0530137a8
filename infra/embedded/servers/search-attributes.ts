import { Connection, type ConnectionOptions } from '@temporalio/client';

/** The search attributes that workflows set and people filter by; all are Keywords. */
export const searchAttributes = [
  'PerdureModel',
  'PerdureVersion',
  'PerdureEnvironment',
  'PerdureCause',
  'PerdureOutcome',
] as const;

const keywordType = 2;

/** Those of the search attributes that the namespace lacks, or has with another type. */
export async function missingSearchAttributes(connection: Connection, namespace: string): Promise<string[]> {
  const { customAttributes } = await connection.operatorService.listSearchAttributes({ namespace });
  return searchAttributes.filter((name) => customAttributes?.[name] !== keywordType);
}

/** Adds what is missing to a namespace of one's own server; repeatable. */
export async function ensureSearchAttributes(options: ConnectionOptions, namespace: string): Promise<string[]> {
  const connection = await Connection.connect(options);
  try {
    const missing = await missingSearchAttributes(connection, namespace);
    if (missing.length > 0) {
      const added = Object.fromEntries(missing.map((name) => [name, keywordType]));
      await connection.operatorService.addSearchAttributes({ namespace, searchAttributes: added });
    }
    return missing;
  } finally {
    await connection.close();
  }
}
