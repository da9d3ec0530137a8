import { condition } from '@temporalio/workflow';

/** One after the other, in the order in which they came. */
export class Mutex {
  private busy = false;

  /** Whether nobody has the turn. */
  get free(): boolean {
    return !this.busy;
  }

  /** Waits for the turn and for `ready`, then does the work; undefined where `left` holds before it begins. */
  async take<T>(
    work: () => Promise<T>,
    { ready = () => true, left = () => false }: { ready?: () => boolean; left?: () => boolean } = {},
  ): Promise<T | undefined> {
    await condition(() => left() || (!this.busy && ready()));
    if (left()) return undefined;
    this.busy = true;
    try {
      return await work();
    } finally {
      this.busy = false;
    }
  }
}
