import { Client, Connection } from '@temporalio/client';
import { PerdureError, messageOf } from '../domain/errors.js';
import type { TemporalConfig } from '../temporal.config.js';

/** A connected client with what it was made from. */
export interface TemporalHandle {
  client: Client;
  config: TemporalConfig;
  close(): Promise<void>;
}

/** Connects within five seconds. @throws PerdureError `server/unreachable` that names the address and the variable. */
export async function connectTemporal(config: TemporalConfig): Promise<TemporalHandle> {
  try {
    const connection = await Connection.connect({ ...config.connection, connectTimeout: '5s' });
    return { client: new Client({ connection, namespace: config.namespace }), config, close: () => connection.close() };
  } catch (error) {
    const why = messageOf(error);
    throw new PerdureError(
      'server/unreachable',
      `Temporal at ${config.connection.address} does not answer (${why}). Start it with \`perdure up\`, or ` +
        'set TEMPORAL_ADDRESS.',
    );
  }
}
