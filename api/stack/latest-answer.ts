import { setTimeout as delay } from 'node:timers/promises';

export interface Answer<T> {
  value: T;
  askedAt: Date;
}

/**
 * What takes long to find out, for callers who do not wait long: one question at a time, whoever asks; its answer is
 * taken again while it is fresh, and a stale one where the next is not there in time.
 * @returns undefined before the first answer
 */
export function latestAnswer<T>(
  ask: () => Promise<T>,
  { freshMs, patienceMs }: { freshMs: number; patienceMs: number },
): () => Promise<Answer<T> | undefined> {
  let latest: Answer<T> | undefined;
  let asking: Promise<void> | undefined;
  return async () => {
    if (latest && Date.now() - latest.askedAt.getTime() < freshMs) return latest;
    const askedAt = new Date();
    asking ??= ask()
      .then((value) => void (latest = { value, askedAt }))
      .catch(() => undefined) // The answer before it stays, with its age.
      .finally(() => (asking = undefined));
    const late = new AbortController();
    await Promise.race([asking, delay(patienceMs, undefined, { signal: late.signal }).catch(() => undefined)]);
    late.abort();
    return latest;
  };
}
