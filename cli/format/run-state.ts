import type { RunSummary } from '../../client/http/runs.js';
import type { WaitKind } from '../../domain/training/run-queue.js';
import type { Output } from '../output.js';
import { duration } from './time.js';
import { state } from './words.js';

const waitsFor: Readonly<Record<WaitKind, string>> = {
  model: 'waiting for other runs of the model',
  data: 'waiting for a data worker',
  training: 'waiting for a trainer',
};

/** How a run ended, what it waits for and since when, or its step. */
export function runState(
  output: Output,
  run: Pick<RunSummary, 'outcome' | 'waiting' | 'step'>,
  now = new Date(),
): string {
  if (run.outcome !== null) return state(output, run.outcome);
  if (run.waiting === null) return `${state(output, null)} (${run.step ?? 'starting'})`;
  const { for: kind, since, place, of } = run.waiting;
  const waited = duration(Math.max(0, now.getTime() - Date.parse(since)));
  return `${waitsFor[kind]} since ${waited}: position ${place} of ${of}`;
}
