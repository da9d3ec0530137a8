import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';
import { TestWorkflowEnvironment } from '@temporalio/testing';
import { eventually as poll } from './poll-until.js';
import { DefaultLogger, Runtime, Worker, type ActivityInterceptorsFactory } from '@temporalio/worker';
import { loadWorkflowBundle } from '../../workers/workflow-bundle.js';
import { failureInterceptor } from '../../workers/failure-interceptor.js';
import { activityQueues, taskQueues } from '../../domain/task-queues.js';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..', '..');

/** INDEXED_VALUE_TYPE_KEYWORD of Temporal's API. */
const keyword = 2;

interface BenchActivities {
  local: object;
  remote: object;
}

let installed = false;
/** One for all benches of a process. */
let bundled: ReturnType<typeof loadWorkflowBundle> | undefined;

const searchAttributes = ['PerdureModel', 'PerdureVersion', 'PerdureEnvironment', 'PerdureCause', 'PerdureOutcome'];
const tool = (name: string) => ({
  type: 'existing-path' as const,
  path: path.join(root, '.tools', 'servers', 'bin', name),
});

/** A server that skips over time in which nothing happens. It knows no schedules and no listing. */
async function skipping(): Promise<TestWorkflowEnvironment> {
  const env = await TestWorkflowEnvironment.createTimeSkipping({
    server: { executable: tool('temporal-test-server') },
  });
  await env.connection.operatorService.addSearchAttributes({
    namespace: 'default',
    searchAttributes: Object.fromEntries(searchAttributes.map((name) => [name, keyword])),
  });
  return env;
}

/** The server that the product runs on, in memory. */
const real = () =>
  TestWorkflowEnvironment.createLocal({
    server: {
      executable: tool('temporal'),
      searchAttributes: searchAttributes.map((name) => defineSearchAttributeKey(name, SearchAttributeType.KEYWORD)),
      extraArgs: ['--dynamic-config-value', 'history.transferProcessorMaxPollRPS=2000'],
    },
  });

/** Notes the workflow of each activity. */
const noting =
  (seen: Set<string>): ActivityInterceptorsFactory =>
  (context) => {
    const workflowId = context.info.workflowExecution?.workflowId;
    if (workflowId !== undefined) seen.add(workflowId);
    return {};
  };

/** A Temporal server with the real workflows and typed fakes for activities. */
export async function createBench({ time = 'skipped' }: { time?: 'skipped' | 'real' } = {}) {
  if (!installed)
    Runtime.install({
      logger: new DefaultLogger('ERROR'),
      telemetryOptions: { logging: { forward: {}, filter: 'ERROR' } },
    });
  installed = true;
  bundled ??= loadWorkflowBundle(path.join(root, 'node_modules', '.cache', 'perdure'));
  const bundle = await bundled;
  const env = await (time === 'skipped' ? skipping() : real());
  let count = 0;

  const start = async (
    taskQueue: string,
    { local, remote }: BenchActivities,
    options: { cached?: boolean; seen: Set<string> },
  ) => {
    const queues = taskQueues(taskQueue);
    const common = {
      connection: env.nativeConnection,
      interceptors: { activity: [failureInterceptor, noting(options.seen)] },
    };
    const workers = await Promise.all([
      Worker.create({
        ...common,
        ...bundle,
        // In the same kind of context, but in this thread: a thread of its own costs each test 0.4 s of processor.
        debugMode: true,
        taskQueue: queues.workflows,
        activities: local,
        ...(options.cached === false ? { maxCachedWorkflows: 0 } : {}),
      }),
      ...activityQueues.map((queue) => Worker.create({ ...common, taskQueue: queues[queue], activities: remote })),
    ]);
    const running = Promise.all(workers.map((worker) => worker.run()));
    return async () => {
      for (const worker of workers) worker.shutdown();
      await running;
    };
  };

  /**
   * Ends what a test left open. When its next timer fires nobody works on its task, for which the server that skips
   * over time waits: from then on it skips nothing, in no test of the file.
   */
  const end = async (workflowIds: ReadonlySet<string>) => {
    const ends = [...workflowIds].map((id) => env.client.workflow.getHandle(id).terminate('the test is over'));
    await Promise.allSettled(ends); // Most have ended by themselves.
  };

  return {
    client: env.client,
    env,
    /**
     * Runs `work` with workers on a task queue of its own. `restart` stops them and starts new ones, as after a crash;
     * give `cached: false` with it: every task then replays the history so far, and none waits ten seconds for the
     * sticky queue of a worker that is gone.
     */
    async withWorkers<T>(
      activities: BenchActivities,
      work: (taskQueue: string, restart: () => Promise<void>) => Promise<T>,
      { giveUpAfterMs = 45_000, ...options }: { cached?: boolean; giveUpAfterMs?: number } = {},
    ): Promise<T> {
      const taskQueue = `bench-${process.pid}-${++count}`;
      const seen = new Set<string>();
      let stop = await start(taskQueue, activities, { ...options, seen });
      const restart = async () => {
        await stop();
        stop = await start(taskQueue, activities, { ...options, seen });
      };
      let timer: NodeJS.Timeout | undefined;
      // What hangs is ended here, so that whatever is tried next finds a server that still skips.
      const overdue = new Promise<never>((_, reject) => {
        const why = `the workflow did not get on within ${giveUpAfterMs / 1000} s`;
        timer = setTimeout(() => reject(new Error(why)), giveUpAfterMs);
      });
      try {
        return await Promise.race([work(taskQueue, restart), overdue]);
      } finally {
        clearTimeout(timer);
        await end(seen);
        await stop();
      }
    },
    close: () => env.teardown(),
  };
}

export type Bench = Awaited<ReturnType<typeof createBench>>;

/** Asks again until `condition` holds. @throws an Error with the last answer when it does not within half a minute. */
export async function eventually<T>(
  label: string,
  ask: () => Promise<T>,
  condition: (answer: T) => boolean,
): Promise<T> {
  let answer: T | undefined;
  const held = await poll(label, async () => condition((answer = await ask())) && { answer }).catch(
    (error: unknown) => {
      throw new Error(`${String(error)} Still ${JSON.stringify(answer)}`);
    },
  );
  return held.answer;
}
