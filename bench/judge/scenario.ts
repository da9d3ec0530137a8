import { judgePolicySchema, type JudgePolicy } from '../../domain/rollout/judge/judge-policy.js';

/** True shares and scores of one version while a stream lasts. */
export interface Version {
  /** Share of requests without an answer at a part (0 to 1) of the stream. */
  errorShare: (part: number) => number;
  slowShare: number;
  /** Added to every score, which lie in 0 to 1. */
  scoreShift: number;
}

export interface Scenario {
  name: string;
  /** What a reader must know of it. */
  about: string;
  champion: Version;
  challenger: Version;
  policy: JudgePolicy;
  /** What the rivals of the judge watch. */
  watched: 'errors' | 'slow' | 'scores';
  /**
   * Requests of the challenger from one look to the next, and in the whole stream; the champion has `championRatio`
   * times as many.
   */
  batch: number;
  requests: number;
  championRatio: number;
  /** How often each request comes: more than once breaks what the judge assumes. */
  repeats: number;
}

const version = (errorShare: number | ((part: number) => number), more: Partial<Version> = {}): Version => ({
  errorShare: typeof errorShare === 'number' ? () => errorShare : errorShare,
  slowShare: 0.03,
  scoreShift: 0,
  ...more,
});

/** Small enough that a challenger which does not differ has no margin to hide behind. */
const noMargin = { errorShare: { marginPct: 0.01 }, slowShare: { marginPct: 0.01 }, scoreDistance: { margin: 0.001 } };

const policy = (alpha: number, ...metrics: object[]) => judgePolicySchema.parse({ alpha, metrics });
const errorsOnly = policy(0.01, { metric: 'errorShare', ...noMargin.errorShare });
const base = { watched: 'errors' as const, batch: 25, requests: 2000, championRatio: 1, repeats: 1 };

const same = (name: string, about: string, both: Version, more: Partial<Scenario> = {}): Scenario => ({
  ...base,
  ...{ name, about, champion: both, challenger: both, policy: errorsOnly },
  ...more,
});

const everyMetric = policy(
  0.01,
  { metric: 'errorShare', ...noMargin.errorShare },
  { metric: 'slowShare', ...noMargin.slowShare },
  { metric: 'scoreDistance', ...noMargin.scoreDistance },
);
const wave = (part: number) => 0.02 + 0.18 * Math.sin(Math.PI * part) ** 2;

/** Challenger and champion are the same; margins are next to nothing. */
export const identicalPairs: readonly Scenario[] = [
  same('errors of 0.1 %', 'few failures', version(0.001)),
  same('errors of 5 %', 'a moderate share, champion with four times the traffic', version(0.05), { championRatio: 4 }),
  same('drifting errors', 'both rise from 2 % to 20 % and fall back', version(wave)),
  same('all metrics', 'errors 1 %, slow 3 % and scores share the alpha', version(0.01), {
    policy: everyMetric,
    watched: 'scores',
    batch: 100,
    requests: 1000,
  }),
  {
    ...same('harm of exactly the margin', '3 % against 1 %, 2 points are accepted', version(0.01)),
    ...{ challenger: version(0.03), policy: policy(0.01, { metric: 'errorShare', marginPct: 2 }) },
  },
];

/** What the judge assumes is broken here: shown, not promised. */
export const brokenAssumptions: readonly Scenario[] = [
  same('each request five times', 'retries that fail together, errors of 5 %', version(0.05), { repeats: 5 }),
];

const usual = policy(0.01, { metric: 'errorShare' }, { metric: 'slowShare' }, { metric: 'scoreDistance' });
const harm = (name: string, champion: Version, challenger: Version, more: Partial<Scenario> = {}): Scenario => ({
  ...base,
  ...{ name, about: 'default margins', champion, challenger, policy: usual },
  ...more,
});

/** A challenger that harms, under the default margins. */
export const harms: readonly Scenario[] = [
  harm('errors 0.1 % to 10 %', version(0.001), version(0.1)),
  harm('errors 1 % to 6 %', version(0.01), version(0.06), { batch: 100, requests: 4000 }),
  harm('slow 3 % to 23 %', version(0.001), version(0.001, { slowShare: 0.23 }), { watched: 'slow' }),
  harm('scores shifted by 0.4', version(0.001), version(0.001, { scoreShift: 0.4 }), { watched: 'scores' }),
  harm('everything fails', version(0.001), version(1), { requests: 200 }),
];
