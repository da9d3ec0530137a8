/** Of each state of a thing: the states that it may follow. A write of the state names them in its own statement. */
export type Moves<State extends string> = Readonly<Record<State, readonly State[]>>;

/** Whether nothing follows this state: what has come there is over. */
export function isEnd<State extends string>(moves: Moves<State>, state: State): boolean {
  return !(Object.values(moves) as (readonly State[])[]).some((before) => before.includes(state));
}

/** The states that are no end. */
export function openStates<State extends string>(moves: Moves<State>): State[] {
  return (Object.keys(moves) as State[]).filter((state) => !isEnd(moves, state));
}

/**
 * A number that rises with what a workflow has its activities do, and with the attempts of one: an attempt that was
 * given up, and goes on later, has a lower one than what came after it. The times are those of Temporal's clock, which
 * gave each its place.
 */
export function turnOf({ scheduledTimestampMs, attempt }: { scheduledTimestampMs: number; attempt: number }): number {
  return scheduledTimestampMs * 1000 + Math.min(attempt, 999);
}
