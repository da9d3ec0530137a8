import { expect, test } from 'vitest';
import { lineageSchema } from '../../../../domain/model/model-version.js';
import { originRows } from '../../../../domain/model/origin-rows.js';

const sha = (digit: string) => digit.repeat(64);
const lineage = lineageSchema.parse({
  ...{ runId: 'r', snapshotSha256: sha('1'), definitionSha256: sha('2'), codeRevision: null },
  ...{ environmentSha256: sha('3'), libraries: {}, seed: 1 },
});

test('a version says which program of the team made it, or where it comes from and that only its bringer says so', () => {
  expect(originRows(lineage)).toEqual([]);
  expect(originRows({ ...lineage, programSha256: sha('4') })).toEqual([['Trainer program', sha('4')]]);
  const imported = { fileSha256: sha('5'), declared: { author: 'Grace', libraries: { torch: '2.9' } } };
  expect(originRows({ ...lineage, imported })).toEqual([
    ['Made elsewhere, file', sha('5')],
    ['Compared with', expect.stringContaining('no native model')],
    ['author, as declared', 'Grace'],
    ['libraries, as declared', 'torch 2.9'],
  ]);
});
