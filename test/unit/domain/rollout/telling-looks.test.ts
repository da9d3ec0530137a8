import { expect, it } from 'vitest';
import { tellingLooks, type PastVerdict } from '../../../../domain/rollout/telling-looks.js';
import type { Verdict } from '../../../../domain/verdict.js';

const minute = (number: number) => new Date(Date.UTC(2026, 0, 1, 0, number));
/** Looks 1, 2, 3…, a minute apart. */
const looks = (...said: [stage: number, verdict: Verdict][]): PastVerdict[] =>
  said.map(([stage, verdict], index) => ({ look: index + 1, stage, verdict, at: minute(index + 1) }));

it('of each stage the first look, the last and each change of mind are telling', () => {
  const many = looks(
    ...[0, 0, 0, 0, 0, 0].map((stage): [number, Verdict] => [stage, 'no-data']),
    ...[0, 0, 0].map((stage): [number, Verdict] => [stage, 'inconclusive']),
    [0, 'pass'],
    ...[1, 1, 1].map((stage): [number, Verdict] => [stage, 'no-data']),
    [1, 'fail'],
  );
  expect(tellingLooks(many, [])).toEqual([1, 7, 10, 11, 14]);
  expect(tellingLooks([], [])).toEqual([]);
});

it('what a person had before their eyes is telling, and nothing else is for their sake', () => {
  const alike = looks(...Array.from({ length: 10 }, (): [number, Verdict] => [0, 'no-data']));
  expect(tellingLooks(alike, [])).toEqual([1, 10]);
  expect(tellingLooks(alike, [new Date(minute(4).getTime() + 30_000), minute(7)])).toEqual([1, 4, 7, 10]);
  expect(tellingLooks(alike, [minute(0), minute(60)])).toEqual([1, 10]);
});
