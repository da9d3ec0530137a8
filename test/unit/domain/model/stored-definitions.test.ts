import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { changedPaths } from '../../../../api/model/changed-paths.js';
import { digestOf } from '../../../../domain/canonical-json.js';
import { definitionDigest, readDefinition, type ModelDefinition } from '../../../../domain/model/model-definition.js';
import flightDelay from '../../../../models/flight-delay/model.js';
import repeatPurchase from '../../../../models/repeat-purchase/model.js';

/**
 * What releases stored, one definition a line with the digest that it was stored under: models of the checkout then,
 * and ones that use every field that there was. A file is only ever added:
 * `RECORD_DEFINITIONS=2027-01-31 npx vitest run --project unit test/unit/domain/model/stored-definitions.test.ts` keeps
 * what this checkout would store.
 */
const folder = path.resolve('test/stored-definitions');
const record = process.env['RECORD_DEFINITIONS'];
if (record !== undefined) {
  const file = path.join(folder, `${record}.jsonl`);
  if (existsSync(file)) throw new Error(`${file} is there already: a recorded release is never written again`);
  const lines = [flightDelay, repeatPurchase].map((body) => JSON.stringify({ sha256: definitionDigest(body), body }));
  writeFileSync(file, `${lines.join('\n')}\n`);
}

interface Stored {
  sha256: string;
  body: ModelDefinition;
}
const releases = readdirSync(folder).map((file) => ({
  release: path.basename(file, '.jsonl'),
  stored: readFileSync(path.join(folder, file), 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as Stored),
}));

/** Where a release's definitions are read in other words; those of any other are read as they are stored. */
const inOtherWords: Record<string, RegExp> = {
  '0.1.0': /^(promotion\.approvals\.alsoRequire|rollout\.testers|rollout\.judge\.\w+)$/,
  '2026-11-25': /^promotion\.approvals\.alsoRequire$/,
};

describe.each(releases)('a definition that $release stored', ({ release, stored }) => {
  it.each(stored.map(({ sha256, body }) => [`${body.name}, ${sha256.slice(0, 12)}`, sha256, body] as const))(
    '%s is read under its digest',
    (_, sha256, body) => {
      expect(digestOf(body)).toBe(sha256);
      const read = readDefinition(body);
      const other = inOtherWords[release];
      if (other === undefined) expect(definitionDigest(read)).toBe(sha256);
      else for (const place of changedPaths(body, read)) expect(place).toMatch(other);
      expect(read.contract).toEqual(body.contract);
      expect(definitionDigest(readDefinition(JSON.parse(JSON.stringify(read))))).toBe(definitionDigest(read));
    },
  );
});

it('of every release since 0.1.0 is kept', () => {
  expect(releases.map(({ release }) => release)).toEqual(
    expect.arrayContaining(['0.1.0', '2026-11-25', '2026-11-28']) as string[],
  );
});
