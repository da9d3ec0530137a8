import { Connection, type ConnectionOptions } from '@temporalio/client';
import { missingSearchAttributes } from './search-attributes.js';

/** Resolves when the server answers and the namespace has what the workflows need; rejects with what is missing. */
export async function checkTemporal(options: ConnectionOptions, namespace: string): Promise<void> {
  // A fresh connection each time: a kept one waits longer and longer after the server was away.
  const connection = await Connection.connect({ ...options, connectTimeout: 3_000 });
  try {
    await connection.workflowService.describeNamespace({ namespace });
    const missing = await missingSearchAttributes(connection, namespace);
    if (missing.length > 0) throw new Error(`namespace ${namespace} lacks the search attributes ${missing.join(', ')}`);
  } finally {
    await connection.close();
  }
}
