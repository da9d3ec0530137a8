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
 * The write order of an activity attempt (the column `turn`): rises with what a workflow schedules, and with the
 * attempts of one activity, so that an attempt that was given up and goes on later comes before what followed it. Times
 * are those of the Temporal server, which ordered them.
 *
 * @example `writeOrderOf({ scheduledTimestampMs: 5, attempt: 2 })` is 5002: a write by 5001 is refused after it.
 */
export function writeOrderOf({
  scheduledTimestampMs,
  attempt,
}: {
  scheduledTimestampMs: number;
  attempt: number;
}): number {
  return scheduledTimestampMs * 1000 + Math.min(attempt, 999);
}
