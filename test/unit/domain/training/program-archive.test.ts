import { describe, expect, test } from 'vitest';
import { programArchiveSchema, programDigest, programLimits } from '../../../../domain/training/program-archive.js';

const file = (path: string, text = '') => ({
  path,
  executable: false,
  content: Buffer.from(text).toString('base64'),
});
const whole = [file('perdure_trainer/__main__.py', 'pass'), file('requirements.txt')];
const problemsOf = (files: unknown) =>
  programArchiveSchema.safeParse({ format: 1, files }).error?.issues.map(({ message }) => message) ?? [];

describe('a trainer program', () => {
  test('is its files in order, and another content, name or mode is another program', () => {
    const archive = programArchiveSchema.parse({ format: 1, files: whole });
    const others = [
      [file('perdure_trainer/__main__.py', 'pass '), whole[1]],
      [whole[0], file('requirements.txt', '\n')],
      [{ ...whole[0], executable: true }, whole[1]],
      [file('a.py'), ...whole],
    ].map((files) => programDigest(programArchiveSchema.parse({ format: 1, files })));
    expect(new Set([programDigest(archive), ...others]).size).toBe(5);
    expect(programDigest(structuredClone(archive))).toBe(programDigest(archive));
  });

  test.each(['../evil.py', '/etc/passwd', 'a/../../b', '.hidden', 'a/.git/config', 'a//b', 'a\\b', 'über.py', ''])(
    'has no file outside of its folder or hidden in it: %s',
    (path) => {
      expect(problemsOf([file(path), ...whole])).not.toEqual([]);
    },
  );

  test('has its files once, in order', () => {
    expect(problemsOf(whole.toReversed()).join()).toMatch('must come after');
    expect(problemsOf([whole[0], whole[0], whole[1]]).join()).toMatch('must come after');
  });

  test('has what is run and what locks its libraries, and no data', () => {
    expect(problemsOf([whole[0]]).join()).toMatch(/is missing: it locks the libraries/);
    expect(problemsOf([whole[1]]).join()).toMatch(/is missing: it is what is run/);
    const big = file('a.bin', 'x'.repeat(programLimits.bytesMax));
    expect(problemsOf([big, ...whole]).join()).toMatch(/bytes, more than 5242880/);
  });
});
