import { expect, test } from 'vitest';
import { servedNowText, servesText } from '../../../../cli/format/words.js';

const whole = { split: [{ version: 1, sharePct: 100 }], shadows: [], standby: [], overrides: [] };

test('what a route serves names shadows, standby and testers beside the split', () => {
  expect(servesText(whole)).toBe('version 1: 100 %');
  const overrides = [{ version: 2, keys: ['a', 'b'], headers: [{ name: 'x-team', value: 'qa' }] }];
  expect(servesText({ ...whole, shadows: [{ version: 2, samplePct: 50 }], standby: [3], overrides })).toBe(
    'version 1: 100 %; version 2 shadows 50 %; version 3 on standby; version 2 for testers (2 keys, 1 header)',
  );
});

test('what is served now says why, where it was changed after the rollout', () => {
  const route = {
    ...{ ...whole, storeId: 's', environment: 'production' as const, model: 'm', epoch: 3 },
    ...{ reason: 'rollback by ann@local: complaints', at: '2026-11-28T04:50:02Z' },
  };
  expect(servedNowText(route, null)).toBe('version 1: 100 %');
  expect(servedNowText(route, '2026-11-28T04:50:02Z')).toBe('version 1: 100 %');
  expect(servedNowText(route, '2026-11-28T04:49:41Z')).toMatch(
    /^version 1: 100 %, since 2026-11-28 .*: rollback by ann@local: complaints$/,
  );
});
