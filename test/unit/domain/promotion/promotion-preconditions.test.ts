import { expect, it } from 'vitest';
import {
  environmentBefore,
  whyNotAskedFor,
  whyOvertaken,
} from '../../../../domain/promotion/promotion-preconditions.js';

const policy: { environments: ('staging' | 'production')[] } = { environments: ['staging', 'production'] };
const asked = { model: 'm', version: 2, environment: 'production' } as const;
const inStaging = (...shares: [number, number][]) => ({
  environment: 'staging' as const,
  route: { split: shares.map(([version, sharePct]) => ({ version, sharePct })) },
});

it('each environment has the one before it, and the first none', () => {
  expect(environmentBefore(policy, 'production')).toBe('staging');
  expect(environmentBefore(policy, 'staging')).toBeUndefined();
});

it('a version must be the only champion of the environment before', () => {
  expect(whyNotAskedFor(asked, policy, inStaging([2, 100]))).toBeNull();
  const refused = { code: 'state/conflict', message: expect.stringContaining('must be champion in staging') as string };
  expect(whyNotAskedFor(asked, policy, inStaging([1, 100]))).toEqual(refused);
  expect(whyNotAskedFor(asked, policy, inStaging([2, 80], [1, 20]))).toEqual(refused);
  expect(whyNotAskedFor(asked, policy, { environment: 'staging', route: undefined })).toEqual(refused);
  expect(whyNotAskedFor({ ...asked, environment: 'staging' }, policy, undefined)).toBeNull();
});

it('an environment that the policy does not know is refused', () => {
  const answer = whyNotAskedFor({ ...asked, environment: 'staging' }, { environments: ['production'] }, undefined);
  expect(answer).toMatchObject({ code: 'input/invalid', message: expect.stringContaining('knows production, not') });
});

it('a promotion is overtaken by its own version at once, and by a newer one after its evidence was shown', () => {
  expect(whyOvertaken(asked, 2, false)).toContain('already champion');
  expect(whyOvertaken(asked, 3, true)).toContain('became champion');
  expect(whyOvertaken(asked, 3, false)).toBeNull();
  expect(whyOvertaken(asked, 1, true)).toBeNull();
  expect(whyOvertaken(asked, undefined, true)).toBeNull();
});
