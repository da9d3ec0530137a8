import { expect, test } from 'vitest';
import { servesText } from '../../../cli/format/words.js';

const whole = { split: [{ version: 1, sharePct: 100 }], shadows: [], standby: [], overrides: [] };

test('what a route serves names shadows, standby and testers beside the split', () => {
  expect(servesText(whole)).toBe('version 1: 100 %');
  const overrides = [{ version: 2, keys: ['a', 'b'], headers: [{ name: 'x-team', value: 'qa' }] }];
  expect(servesText({ ...whole, shadows: [{ version: 2, samplePct: 50 }], standby: [3], overrides })).toBe(
    'version 1: 100 %; version 2 shadows 50 %; version 3 stands by; version 2 for testers (2 keys, 1 header)',
  );
});
