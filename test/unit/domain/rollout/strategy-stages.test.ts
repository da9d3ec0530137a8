import { describe, expect, it } from 'vitest';
import { alphaOfStage } from '../../../../domain/rollout/rollout-plan.js';
import { rolloutPolicySchema } from '../../../../domain/rollout/rollout-policy.js';
import { routeOfStage, stagesOf, type RolloutParties } from '../../../../domain/rollout/strategy-stages.js';

const parties: RolloutParties = { champion: 1, challenger: 2, alsoShadow: [], testers: { keys: [], headers: [] } };
const story = (input: unknown, more: Partial<RolloutParties> = {}) => {
  const policy = rolloutPolicySchema.parse(input);
  return stagesOf(policy, { hasChampion: true }).map((stage) => {
    const { split, shadows, standby, overrides } = routeOfStage(stage, { ...parties, ...more });
    const shares = Object.fromEntries(split.map(({ version, sharePct }) => [version, sharePct]));
    return { compares: stage.comparison, shares, shadows, standby, overrides };
  });
};
const whole = (version: number) => ({ [version]: 100 });
const bare = { shadows: [], standby: [], overrides: [] };

describe('the stages of', () => {
  it('a canary give the challenger more and more, compared on the same minutes while the champion answers at all', () => {
    expect(story({ strategy: 'canary', steps: [{ sharePct: 5 }, { sharePct: 100 }] })).toEqual([
      { compares: 'same-minutes', shares: { 1: 95, 2: 5 }, ...bare },
      { compares: 'before', shares: whole(2), ...bare },
    ]);
  });

  it('blue-green make the challenger ready, switch everything with the champion standing by, and let it go', () => {
    expect(story({ strategy: 'blue-green' })).toEqual([
      { compares: 'none', shares: whole(1), ...bare, standby: [2] },
      { compares: 'before', shares: whole(2), ...bare, standby: [1] },
      { compares: 'none', shares: whole(2), ...bare },
    ]);
  });

  it('a shadow leave every answer to the champion, copy requests to each shadow, then take over by steps', () => {
    expect(
      story(
        { strategy: 'shadow', samplePct: 20, steps: [{ sharePct: 10 }, { sharePct: 100 }] },
        { alsoShadow: [3, 4] },
      ),
    ).toEqual([
      {
        compares: 'same-minutes',
        shares: whole(1),
        ...bare,
        shadows: [2, 3, 4].map((version) => ({ version, samplePct: 20 })),
      },
      { compares: 'same-minutes', shares: { 1: 90, 2: 10 }, ...bare },
      { compares: 'before', shares: whole(2), ...bare },
    ]);
  });

  it('an A/B test hold one split until there is a winner', () => {
    const outcome = { metric: 'outcome', direction: 'higher-is-better' };
    expect(story({ strategy: 'ab', challengerPct: 40, outcome })).toEqual([
      { compares: 'same-minutes', shares: { 1: 60, 2: 40 }, ...bare },
      { compares: 'none', shares: whole(2), ...bare },
    ]);
  });

  it('a direct rollout are one, and so are those of any strategy where there is no champion', () => {
    expect(story({ strategy: 'direct', reason: 'the old one leaks memory' })).toEqual([
      { compares: 'none', shares: whole(2), ...bare },
    ]);
    const canary = rolloutPolicySchema.parse({ strategy: 'canary', steps: [{ sharePct: 5 }, { sharePct: 100 }] });
    expect(
      stagesOf(canary, { hasChampion: false }).map(({ challengerPct, comparison }) => [challengerPct, comparison]),
    ).toEqual([[100, 'none']]);
  });

  it('every strategy never lower the challenger’s share, and end with everything', () => {
    const outcome = { metric: 'quality', loss: 'brier', margin: 0.01, harm: 0.05 };
    for (const strategy of [
      { strategy: 'canary', steps: [{ sharePct: 1 }, { sharePct: 50 }, { sharePct: 100 }] },
      { strategy: 'blue-green' },
      { strategy: 'shadow' },
      { strategy: 'ab', outcome },
      { strategy: 'direct', reason: 'test' },
    ]) {
      const shares = stagesOf(rolloutPolicySchema.parse(strategy), { hasChampion: true }).map(
        (stage) => stage.challengerPct,
      );
      expect(shares).toEqual([...shares].sort((left, right) => left - right));
      expect(shares.at(-1)).toBe(100);
    }
  });
});

describe('testers', () => {
  const testers = { keys: ['qa-1'], headers: [{ name: 'x-cohort', value: 'new' }] };
  it('get the challenger in every stage until it has everything', () => {
    const seen = story({ strategy: 'canary', steps: [{ sharePct: 5 }, { sharePct: 100 }], testers }, { testers });
    expect(seen.map((stage) => stage.overrides)).toEqual([[{ version: 2, ...testers }], []]);
  });
});

describe('the alpha of a rollout', () => {
  it('is shared by the stages that are judged', () => {
    const policy = rolloutPolicySchema.parse({
      strategy: 'canary',
      steps: [{ sharePct: 5 }, { sharePct: 25 }, { sharePct: 100 }],
      judge: { alpha: 0.03 },
    });
    expect(alphaOfStage(policy, stagesOf(policy, { hasChampion: true }))).toBeCloseTo(0.01, 12);
  });
});

describe('a policy', () => {
  it.each([
    [{ strategy: 'canary', steps: [{ sharePct: 50 }] }, 'steps: the last step must give the challenger 100 percent'],
    [
      { strategy: 'canary', steps: [{ sharePct: 50 }, { sharePct: 20 }] },
      'steps.1.sharePct: must be greater than the step before (50)',
    ],
    [{ strategy: 'direct' }, 'reason: Invalid input: expected string, received undefined'],
    [{ strategy: 'direct', reason: ' ' }, 'reason: Too small: expected string to have >=1 characters'],
    [
      { strategy: 'ab', outcome: { metric: 'outcome', direction: 'higher-is-better' }, challengerPct: 100 },
      'challengerPct: Too big: expected number to be <100',
    ],
    [
      { strategy: 'ab', outcome: { metric: 'outcome', direction: 'higher-is-better', alpha: 0.05 } },
      "outcome.alpha: must be less than judge.alpha (0.05): the test's guardrail metrics need the rest",
    ],
    [
      { strategy: 'blue-green', judge: { metrics: [{ metric: 'errorShare', marginPct: 5, harmPct: 5 }] } },
      'judge.metrics.0.harmPct: must be greater than the margin (5)',
    ],
    [
      { strategy: 'blue-green', judge: { metrics: [{ metric: 'errorShare' }, { metric: 'errorShare' }] } },
      'judge.metrics.1: errorShare is named twice',
    ],
    [
      {
        strategy: 'blue-green',
        judge: { alpha: 0.05, metrics: [{ metric: 'errorShare', alpha: 0.05 }, { metric: 'slowShare' }] },
      },
      "judge.metrics: the metrics' own alphas (0.05) use up judge.alpha (0.05): nothing is left for the others",
    ],
  ])('%j is refused with the place and the reason', (input, message) => {
    const parsed = rolloutPolicySchema.safeParse(input);
    expect(parsed.error?.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`)).toContain(message);
  });
});
