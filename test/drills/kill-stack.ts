import type { WorkflowExecutionInfo } from '@temporalio/client';
import { createApiClient, type ApiClient } from '../../client/http/api-client.js';
import { connectTemporal, type TemporalHandle } from '../../client/connect.js';
import type { ComponentReport } from '../../infra/embedded/processes/component.js';
import { startStack, type RunningStack } from '../../infra/embedded/stack.js';
import { loadTemporalConfig } from '../../temporal.config.js';
import { pollUntil } from '../support/poll-until.js';
import type { Place } from '../support/place.js';

/** How a component came back after it was killed. */
export interface Healed {
  name: string;
  /** From the kill to the moment when the supervisor calls it running again. */
  backAfterMs: number;
}

export interface KillStack {
  stack: RunningStack;
  api: ApiClient;
  temporal: TemporalHandle;
  /** `kill -9` of one component's process; resolves when its successor works. */
  killAndHeal(...names: readonly string[]): Promise<Healed[]>;
  /** Every workflow that this stack has ever run. */
  workflows(): Promise<WorkflowExecutionInfo[]>;
  stop(): Promise<void>;
}

/** A whole stack supervised by this process, with the clients of a person who works on it. */
export async function startKillStack({ config, env }: Place): Promise<KillStack> {
  const stack = await startStack({ config, environment: env });
  const temporal = await connectTemporal(loadTemporalConfig({ ...env, ...stack.env }));

  const report = (name: string): ComponentReport => {
    const found = stack.components().find((component) => component.name === name);
    if (!found) throw new Error(`no component ${name}`);
    return found;
  };
  const killOne = async (name: string): Promise<Healed> => {
    const before = await pollUntil(`${name} runs`, 60_000, () => {
      const now = report(name);
      return now.state === 'running' && now.pid !== undefined ? { pid: now.pid, restarts: now.restarts } : undefined;
    });
    const killedAt = Date.now();
    process.kill(before.pid, 'SIGKILL');
    await pollUntil(`${name} back`, 60_000, () => {
      const now = report(name);
      return (now.state === 'running' && now.restarts > before.restarts && now.pid !== before.pid) || undefined;
    });
    return { name, backAfterMs: Date.now() - killedAt };
  };

  return {
    stack,
    api: createApiClient(stack.addresses.api),
    temporal,
    killAndHeal: (...names) => Promise.all(names.map(killOne)),
    async workflows() {
      const found: WorkflowExecutionInfo[] = [];
      for await (const execution of temporal.client.workflow.list()) found.push(execution);
      return found;
    },
    async stop() {
      await temporal.close();
      await stack.stop();
    },
  };
}
