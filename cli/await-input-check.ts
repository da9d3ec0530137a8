import { setTimeout as delay } from 'node:timers/promises';

/** A workflow checks its input in its first step; a refusal comes within this time when workers are there. */
const firstStepMs = 1500;

/**
 * Waits until a workflow's input has surely been checked.
 * @throws the refusal, so that a slip of the pen is told here and not in the Temporal UI alone.
 */
export async function awaitInputCheck(result: Promise<unknown>): Promise<void> {
  await Promise.race([result, delay(firstStepMs)]);
}
