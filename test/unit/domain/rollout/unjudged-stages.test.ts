import { describe, expect, it } from 'vitest';
import { judgePolicySchema } from '../../../../domain/rollout/judge/judge-policy.js';
import { stageSampleSizes } from '../../../../domain/rollout/sample-size.js';
import { rolloutPolicySchema } from '../../../../domain/rollout/rollout-policy.js';
import { stagesOf } from '../../../../domain/rollout/strategy-stages.js';
import { addWindows } from '../../../../domain/serving/serving-totals.js';

describe('what the stages of a blue-green rollout need', () => {
  it('is nothing where the challenger stands by without traffic, and where blue is unloaded', () => {
    const policy = rolloutPolicySchema.parse({ strategy: 'blue-green', judge: judgePolicySchema.parse({}) });
    if (policy.strategy === 'direct') throw new Error('not this policy');
    const none = addWindows([]);
    const champion = { ...none, requests: 1000, latency: none.latency.with(0, 1000), samples: {} };
    const effects = stageSampleSizes(policy, stagesOf(policy, { hasChampion: true }), {
      requestsPerSecond: 50,
      champion,
    });
    expect(effects.map(({ requests }) => requests === 0)).toEqual([true, false, true]);
    expect(effects[1]?.requests).toBeGreaterThan(0);
  });
});
