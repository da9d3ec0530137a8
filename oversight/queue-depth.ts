import type { QueueState } from '../client/queue-states.js';
import { waitKinds, type WaitKind } from '../domain/training/run-queue.js';

/** What waits, and for what. */
export interface QueueDepth {
  queues: QueueState[];
  /** Runs that wait for other runs of their model, or for a slot of a worker. */
  runs: Record<WaitKind, number>;
}

/** In a few words, for example `40 tasks wait: training 39 (the oldest for 720 s), …`. */
export function depthText({ queues, runs }: QueueDepth): string {
  const deep = queues.filter(({ waiting }) => waiting > 0);
  const tasks = deep.map(
    ({ queue, waiting, waitsSeconds }) => `${queue} ${waiting} (the oldest for ${waitsSeconds} s)`,
  );
  const waiting = waitKinds.filter((kind) => runs[kind] > 0).map((kind) => `${runs[kind]} ${waitText[kind]}`);
  return [
    deep.length === 0 ? 'no task waits for a worker' : `tasks that wait for a worker: ${tasks.join(', ')}`,
    waiting.length === 0 ? 'no run waits' : `runs that wait: ${waiting.join(', ')}`,
  ].join('; ');
}

const waitText: Readonly<Record<WaitKind, string>> = {
  model: 'for other runs of their model',
  data: 'for a data worker',
  training: 'for a trainer',
};
