import { expect, test } from 'vitest';
import { noStackId, identityText, whyOtherStack } from '../../../domain/stack-identity.js';

const own = { id: 'a1', home: '/srv/one/.perdure' };

test('a request for this stack, for none in particular, or to one outside any stack is welcome', () => {
  expect(whyOtherStack(own, identityText({ id: 'a1', home: '/mnt/same place' }), 'This control API')).toBeUndefined();
  expect(whyOtherStack(own, 'a1', 'This control API')).toBeUndefined();
  expect(whyOtherStack(own, undefined, 'This control API')).toBeUndefined();
  expect(whyOtherStack(undefined, 'b2 /srv/two', 'This control API')).toBeUndefined();
});

test.each([
  [identityText({ id: 'b2', home: '/srv/zwei ö/.perdure' }), 'the stack of /srv/zwei ö/.perdure.'],
  [identityText({ id: noStackId, home: '/srv/two' }), 'the stack of /srv/two, which was never started.'],
  ['b2', 'another stack.'],
  ['', 'another stack.'],
  ['b2 %E0%A4%A', 'the stack of %E0%A4%A.'],
])('a request for another stack (%s) is refused with both homes', (header, theirs) => {
  const text = whyOtherStack(own, header, 'This control API');
  expect(text).toContain('This control API belongs to the stack of /srv/one/.perdure, but the request is for');
  expect(text).toContain(theirs);
});
