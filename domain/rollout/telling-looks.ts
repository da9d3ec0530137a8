import type { Verdict } from '../verdict.js';

export interface PastVerdict {
  look: number;
  stage: number;
  verdict: Verdict;
  at: Date;
}

/**
 * The looks of a finished rollout that say why it moved: of each stage the first, the last and each that said something
 * else than the one before, and the newest before each thing that a person said.
 * @param looks in their order
 * @param acts when people paused, resumed, advanced or aborted it
 */
export function tellingLooks(looks: readonly PastVerdict[], acts: readonly Date[]): number[] {
  const seenByPerson = new Set(acts.map((act) => looks.findLast(({ at }) => at <= act)?.look));
  return looks
    .filter((one, index) => {
      const before = looks[index - 1];
      const next = looks[index + 1];
      const turns = one.stage !== before?.stage || one.verdict !== before.verdict;
      return turns || one.stage !== next?.stage || seenByPerson.has(one.look);
    })
    .map(({ look }) => look);
}
