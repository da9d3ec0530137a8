import { sleep } from '@temporalio/workflow';

/** Workflows as an earlier state of the code might have had them: under a name of today, another story. */
export async function trainModel(): Promise<void> {
  await sleep('1 hour');
}
