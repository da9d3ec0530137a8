import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { nodePackagesFit } from '../../../../infra/bootstrap/node-packages.mjs';

const here = { os: [process.platform], cpu: [process.arch] };
const elsewhere = { os: ['plan9'], cpu: [process.arch] };
const locked = {
  '': { version: '1.0.0' },
  'node_modules/zod': { version: '4.0.0', integrity: 'sha512-zod' },
  'node_modules/vitest': { version: '4.1.0', integrity: 'sha512-vitest', dev: true },
  'node_modules/pg-here': { version: '18.0.0', integrity: 'sha512-here', optional: true, ...here },
  'node_modules/pg-elsewhere': { version: '18.0.0', integrity: 'sha512-elsewhere', optional: true, ...elsewhere },
};
const { 'node_modules/pg-elsewhere': _other, '': _root, ...complete } = locked;
const { 'node_modules/vitest': _vitest, ...withoutDevelopment } = complete;
const { 'node_modules/pg-here': _here, ...withoutPostgres } = complete;
const changed = { ...complete, 'node_modules/zod': { version: '4.0.0', integrity: 'sha512-other' } };

describe('node_modules against the lock file', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'perdure-packages-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  writeFileSync(path.join(folder, 'package-lock.json'), JSON.stringify({ packages: locked }));
  const fits = (installed: object, development: boolean) => {
    mkdirSync(path.join(folder, 'node_modules'), { recursive: true });
    writeFileSync(path.join(folder, 'node_modules', '.package-lock.json'), JSON.stringify({ packages: installed }));
    return nodePackagesFit(folder, { development });
  };

  it('nothing installed does not fit', () => expect(nodePackagesFit(folder, { development: false })).toBe(false));
  it('a complete installation fits, without the packages of other platforms', () =>
    expect(fits(complete, true)).toBe(true));
  it('development packages are asked for only where they are needed', () => {
    expect(fits(withoutDevelopment, false)).toBe(true);
    expect(fits(withoutDevelopment, true)).toBe(false);
  });
  it("this platform's PostgreSQL is never optional here", () => expect(fits(withoutPostgres, false)).toBe(false));
  it('the same version with other bytes does not fit', () => expect(fits(changed, false)).toBe(false));
});
