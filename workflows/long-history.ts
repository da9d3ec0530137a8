import { CancellationScope, condition, patched, workflowInfo } from '@temporalio/workflow';

/**
 * Events after which a run continues as new, as soon as nothing is left half done: what it finishes meanwhile stays
 * below twice as many.
 */
const eventsMax = 1000;

/** Whether it is time to continue as new. Runs of 0.1.0 went on; theirs replay as they went. */
export function historyIsLong(): boolean {
  const { historyLength, continueAsNewSuggested } = workflowInfo();
  return (historyLength >= eventsMax || continueAsNewSuggested) && patched('bounded-history');
}

/**
 * Waits for `work`, but no longer than until `stop` holds.
 * @returns whether `work` is settled; the caller awaits it then.
 */
export async function settledBefore(work: Promise<unknown>, stop: () => boolean): Promise<boolean> {
  const yes = () => true;
  const settled = work.then(yes, yes);
  const watch = new CancellationScope();
  // A watch that is cancelled, with what it watches or because it is over, says nothing of its own.
  const stopped = watch
    .run(() => condition(stop))
    .then(
      () => false,
      () => settled,
    );
  const first = await Promise.race([settled, stopped]);
  if (first) watch.cancel();
  return first;
}
