import { noStackId, type StackIdentity } from '../domain/stack-identity.js';
import type { PerdureConfig } from '../perdure.config.js';
import { readStackFile, type StackFile } from '../infra/embedded/stack-file.js';
import { readStackId } from '../infra/embedded/stack-id.js';

/** What of a running stack a command takes over: where it answers. Its credentials stay in the file. */
const addressVariable = /^(PERDURE_(HOST|API_PORT|GATEWAY_[A-Z0-9_]+_PORT)|TEMPORAL_\w+)$/;

/** The running stack of a home as variables; empty where none runs. */
export function addressesOf(stack: StackFile | undefined): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(stack?.env ?? {}).filter(([name]) => addressVariable.test(name)));
}

export const stackOf = ({ home }: PerdureConfig): StackFile | undefined => readStackFile(home);

/**
 * Which stack a command is meant for: the one that PERDURE_STACK_ID names, else that of the home. A home that was never
 * started has none; its commands go to nobody else's stack by accident, only to one whose address is given.
 */
export function stackIdentityOf({ home, stackId }: PerdureConfig, env: NodeJS.ProcessEnv): StackIdentity | undefined {
  const id = stackId ?? readStackId(home);
  if (id !== undefined) return { id, home };
  return env.PERDURE_API_PORT || env.PERDURE_HOST ? undefined : { id: noStackId, home };
}
