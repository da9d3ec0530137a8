import { describe, expect, test } from 'vitest';
import { modelOrVersion, requireModelName, requireVersionRef } from '../../../../cli/parse/version-ref.js';

describe('MODEL@N', () => {
  test('names a model and a version', () => {
    expect(requireVersionRef('flight-delay@12')).toEqual({ model: 'flight-delay', version: 12 });
  });

  test('the version may be left out where the newest is meant', () => {
    expect(modelOrVersion('flight-delay')).toEqual({ model: 'flight-delay', version: undefined });
  });

  test('where a version is needed its absence says how to find one', () => {
    expect(() => requireVersionRef('flight-delay')).toThrow('perdure versions ls flight-delay');
  });

  test.each(['flight-delay@0', 'flight-delay@', 'flight-delay@1.5', 'Flight', '@1', 'a@1@2', '../etc@1', ''])(
    '%j is refused',
    (text) => {
      expect(() => requireVersionRef(text)).toThrow(/MODEL@N/);
    },
  );

  test('a version is refused where only a model is meant', () => {
    expect(() => requireModelName('flight-delay@2')).toThrow(/not a model's name/);
  });
});
