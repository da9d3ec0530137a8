import { describe, expect, it } from 'vitest';
import type { Observed } from '../../../../domain/rollout/judge/judge.js';
import { alphaOfStage } from '../../../../domain/rollout/rollout-plan.js';
import { rolloutPolicySchema, type JudgedPolicy } from '../../../../domain/rollout/rollout-policy.js';
import { replayRollout, type StoredLook } from '../../../../domain/rollout/rollout-replay.js';
import { stagesOf } from '../../../../domain/rollout/strategy-stages.js';
import { addWindows } from '../../../../domain/serving/serving-totals.js';

function canary(metric: object = {}, step: object = {}, more: object = {}): JudgedPolicy {
  const parsed = rolloutPolicySchema.parse({
    strategy: 'canary',
    steps: [
      { sharePct: 20, ...step },
      { sharePct: 100, ...step },
    ],
    judge: { metrics: [{ metric: 'errorShare', ...metric }] },
    ...more,
  });
  if (parsed.strategy === 'direct') throw new Error('nobody judges a direct rollout');
  return parsed;
}

const settledPolicy = canary();
const settled = { policy: settledPolicy, stages: stagesOf(settledPolicy, { hasChampion: true }) };
const seen = (requests: number, errors: number): Observed => ({ ...addWindows([]), requests, errors, samples: {} });

/** A look at so many requests of the challenger, with so many errors. */
const look = (stageIndex: number, elapsedSeconds: number, requests: number, errors = 0): StoredLook => ({
  ...{
    policy: settledPolicy.judge,
    alpha: alphaOfStage(settledPolicy, settled.stages),
    outcome: null,
    horizon: null,
    coldRequests: 0,
  },
  stage: settled.stages[stageIndex]!,
  ...{ champion: seen(5000, 0), challenger: seen(requests, errors), stageIndex, elapsedSeconds },
});

const healthy = [look(0, 20, 100), look(0, 40, 400), look(1, 20, 300), look(1, 40, 600)];

describe('replayRollout', () => {
  it('under the same policy turns out the same, and never differs from itself', () => {
    const replay = replayRollout({ looks: healthy, settled, policy: null, recorded: null });
    expect(replay).toMatchObject({
      turnsAt: null,
      differs: false,
      before: { kind: 'completed' },
      after: { kind: 'completed' },
    });
    expect(replay.summary).toBe('Same result: completed.');
  });

  it('shows where a stricter policy would have rolled back', () => {
    const looks = [look(0, 20, 100), look(0, 40, 2000, 20), look(1, 20, 4000, 40)];
    const lax = canary({ marginPct: 3 });
    const strict = canary({ marginPct: 0.1 });
    const replay = replayRollout({
      looks,
      settled: { ...settled, policy: lax },
      policy: strict,
      recorded: ['no-data', 'pass', 'pass'],
    });
    expect(replay).toMatchObject({
      differs: true,
      before: { kind: 'completed' },
      after: { kind: 'rolled-back', look: 1, stageIndex: 0 },
      turnsAt: {
        look: 1,
        before: { verdict: 'pass', move: 'next-step' },
        after: { verdict: 'fail', move: 'roll-back' },
      },
    });
    expect(replay.summary).toMatch(
      /^Turns out differently: rolled-back at look 2 in stage "canary of 20 %", where it was completed/,
    );
  });

  it('shows where a laxer policy would have gone on instead of back, and knows no more from there', () => {
    const looks = [look(0, 20, 600, 36)];
    const replay = replayRollout({ looks, settled, policy: canary({ marginPct: 9, harmPct: 20 }), recorded: null });
    expect(replay.before).toMatchObject({ kind: 'rolled-back', look: 0 });
    expect(replay.after).toMatchObject({ kind: 'open' });
    expect(replay.differs).toBe(true);
  });

  it('tells a later end from another end: it says when the looks stop before the other policy has decided', () => {
    const later = replayRollout({ looks: healthy, settled, policy: canary({}, { minRequests: 500 }), recorded: null });
    expect(later.turnsAt).toMatchObject({ look: 1, after: { verdict: 'no-data', move: 'look-again' } });
    expect(later.after).toMatchObject({ kind: 'open', look: 1, stageIndex: 0 });
    const looks = [look(0, 20, 400), look(0, 40, 800), look(1, 20, 300), look(1, 40, 600)];
    const sooner = replayRollout({
      looks: [look(0, 5, 400), ...looks],
      settled,
      policy: canary({}, { minSeconds: 1 }),
      recorded: null,
    });
    expect(sooner).toMatchObject({ turnsAt: { look: 0 }, differs: false, after: { kind: 'completed' } });
    expect(sooner.summary).toMatch(/^Ends the same, completed, though at look 1/);
  });

  it('follows a person who went on without a verdict, and one who ended a pause', () => {
    const advanced = [look(0, 20, 100), look(1, 20, 300), look(1, 40, 600)];
    expect(replayRollout({ looks: advanced, settled, policy: null, recorded: null }).after).toEqual({
      kind: 'completed',
    });
    expect(replayRollout({ looks: advanced, settled, policy: canary({ marginPct: 3 }), recorded: null }).after).toEqual(
      {
        kind: 'completed',
      },
    );
    const paused = [look(0, 4000, 300, 5), look(0, 4100, 4000, 10), look(1, 20, 1000)];
    const replay = replayRollout({ looks: paused, settled, policy: null, recorded: null });
    expect(replay.after).toEqual({ kind: 'completed' });
    const stopped = replayRollout({ looks: paused.slice(0, 1), settled, policy: null, recorded: null });
    expect(stopped.after).toMatchObject({ kind: 'paused', look: 0 });
  });

  it('does not invent what was not counted: another metric without samples has no data', () => {
    const value = {
      metric: 'value',
      name: 'amount',
      from: 'amount',
      min: 0,
      max: 1,
      direction: 'lower-is-better',
      margin: 0.1,
      harm: 0.3,
    };
    const policy = canary({}, {}, { judge: { metrics: [{ metric: 'errorShare' }, value] } });
    const replay = replayRollout({ looks: healthy, settled, policy, recorded: null });
    expect(replay.turnsAt).toMatchObject({ look: 1, after: { verdict: 'no-data' } });
    expect(replay.after).toMatchObject({ kind: 'open', stageIndex: 0 });
  });

  it('shows when what was recorded is not what this program says', () => {
    const replay = replayRollout({
      looks: healthy,
      settled,
      policy: null,
      recorded: ['no-data', 'fail', 'pass', 'pass'],
    });
    expect(replay).toMatchObject({
      differs: true,
      turnsAt: { look: 1 },
      before: { kind: 'rolled-back' },
      after: { kind: 'completed' },
    });
  });

  it('of no looks at all is open', () => {
    expect(replayRollout({ looks: [], settled, policy: null, recorded: null })).toMatchObject({
      differs: false,
      after: { kind: 'open' },
    });
  });
});
