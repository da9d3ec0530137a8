import { describe, expect, it } from 'vitest';
import { canonicalJson, digestOf } from '../../../domain/canonical-json.js';

describe('canonical JSON', () => {
  it('writes the example of RFC 8785, section 3.2.2, as the RFC does', () => {
    const value: unknown = JSON.parse(
      '{"numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001], "string": ' +
        '"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/", "literals": [null, true, false]}',
    );
    expect(canonicalJson(value)).toBe(
      '{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],' +
        '"string":"€$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}',
    );
  });

  it('sorts names by UTF-16 code units, as section 3.2.3 says', () => {
    const value = {
      '\u20ac': 'Euro Sign',
      '\r': 'Carriage Return',
      '\ufb33': 'Hebrew Letter Dalet With Dagesh',
      1: 'One',
      '\ud83d\ude00': 'Emoji',
      '\u0080': 'Control',
      '\u00f6': 'Latin o',
    };
    expect(Object.values(JSON.parse(canonicalJson(value)) as Record<string, string>)).toEqual([
      'One', // an integer-like name comes first when JavaScript reads the text back
      'Carriage Return',
      'Control',
      'Latin o',
      'Euro Sign',
      'Emoji',
      'Hebrew Letter Dalet With Dagesh',
    ]);
    expect(canonicalJson(value).indexOf('Carriage')).toBeLessThan(canonicalJson(value).indexOf('One'));
  });

  it.each([
    [0, '0'],
    [-0, '0'],
    [5e-324, '5e-324'],
    [1.7976931348623157e308, '1.7976931348623157e+308'],
    [9007199254740994, '9007199254740994'],
    [295147905179352830000, '295147905179352830000'],
    [1e21, '1e+21'],
    [0.000001, '0.000001'],
    [1e-7, '1e-7'],
  ])('writes %s as appendix B and section 3.2.2.3 do', (value, text) => {
    expect(canonicalJson(value)).toBe(text);
  });

  it('refuses what JSON cannot say', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, [Number.NEGATIVE_INFINITY], undefined])
      expect(() => canonicalJson(value)).toThrow();
  });

  it('gives the digest that sha256sum gives of the canonical text, whatever the order of names', () => {
    // printf '{"a":[1,2.5,"é"],"b":null}' | sha256sum
    const digest = 'c85a32002ab44befebd40fe674e4ac562524fa9d905f307b8f88d90d0b01b62c';
    expect(digestOf({ a: [1, 2.5, 'é'], b: null })).toBe(digest);
    expect(digestOf({ b: null, a: [1, 2.5, 'é'] })).toBe(digest);
    expect(digestOf({ b: null, a: [2.5, 1, 'é'] })).not.toBe(digest);
  });
});
