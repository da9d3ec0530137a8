import { isGrpcServiceError } from '@temporalio/client';
import { connectTemporal, type TemporalHandle } from '../client/connect.js';
import { PerdureError } from '../domain/errors.js';
import type { TemporalConfig } from '../temporal.config.js';

/** A connection to Temporal that is made when it is first needed, and again after the server was away. */
export interface TemporalLink {
  /** @throws PerdureError `server/unreachable` while Temporal does not answer. */
  use<T>(work: (handle: TemporalHandle) => Promise<T>): Promise<T>;
  ping(): Promise<void>;
  close(): Promise<void>;
}

const pingMs = 1_500;
/** gRPC's codes for a server that is not there or not there in time. */
const awayCodes: ReadonlySet<number> = new Set([4, 14]);

export function createTemporalLink(config: TemporalConfig): TemporalLink {
  let handle: Promise<TemporalHandle> | undefined;
  const connected = () => {
    handle ??= connectTemporal(config).catch((error: unknown) => {
      handle = undefined;
      throw error;
    });
    return handle;
  };
  const use: TemporalLink['use'] = async (work) => {
    const open = await connected();
    try {
      return await work(open);
    } catch (error) {
      if (!isAway(error)) throw error;
      throw new PerdureError(
        'server/unreachable',
        `Temporal at ${config.connection.address} does not answer. Check the stack with \`npx perdure status\`; ` +
          'the request is safe to retry.',
      );
    }
  };
  return {
    use,
    ping: () =>
      use(
        async ({ client }) =>
          void (await client.withDeadline(Date.now() + pingMs, () => client.workflowService.getSystemInfo({}))),
      ),
    close: async () => (await handle?.catch(() => undefined))?.close(),
  };
}

/** The SDK wraps what gRPC threw, more than once at times. */
function isAway(error: unknown): boolean {
  if (isGrpcServiceError(error)) return awayCodes.has(error.code);
  return error instanceof Error && error.cause !== undefined && isAway(error.cause);
}
