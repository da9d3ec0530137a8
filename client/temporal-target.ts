import type { TemporalHandle } from './connect.js';

/** A Temporal server and namespace, told apart from others whatever it is called. */
export interface TemporalTarget {
  address: string;
  namespace: string;
  namespaceId: string;
}

export async function temporalTargetOf({ client, config }: TemporalHandle): Promise<TemporalTarget> {
  const { namespaceInfo } = await client.workflowService.describeNamespace({ namespace: config.namespace });
  return { address: config.connection.address, namespace: config.namespace, namespaceId: namespaceInfo?.id ?? '' };
}
