import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { trainerInputs } from '../../../activities/training/trainer-inputs.js';
import { runTrainer, trainerFor } from '../../../adapters/trainer/trainer.js';
import { createFileCache, fileSha256 } from '../../../adapters/verified-file-cache.js';
import type { PartitionFile } from '../../../domain/data/snapshot/snapshot.js';
import { readColumns } from './parity.js';
import { smallSpec, writeSmallParquet } from './small-parquet.js';

const projectRoot = path.resolve(import.meta.dirname, '../../..');
let folder: string;
let files: { train: string; holdout: string };

beforeAll(async () => {
  folder = mkdtempSync(path.join(tmpdir(), 'perdure-hidden-labels-'));
  files = await writeSmallParquet(folder);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A cache whose store has these files only, by their own path as key. */
const cacheOf = () =>
  createFileCache(
    {
      async getToFile(key: string, target: string) {
        const { copyFile } = await import('node:fs/promises');
        await copyFile(key, target);
      },
    } as never,
    path.join(folder, 'cache'),
  );

async function partition(file: string): Promise<PartitionFile> {
  const sha256 = await fileSha256(file);
  return { partition: '2013-01', key: file, sha256, bytes: 1, rows: 1, positives: 0, inputsSha256: sha256 };
}

async function inputsOf(holdout: string, name: string) {
  const outDir = path.join(folder, name);
  mkdirSync(outDir);
  const asked = { train: [await partition(files.train)], holdout: [await partition(holdout)], label: 'late' };
  const { signal } = new AbortController();
  return { outDir, inputs: await trainerInputs({ cache: cacheOf() }, { ...asked, folder: outDir }, signal) };
}

/** Looks into every file of every folder that it is told of, and says which hold a label. */
const spy = `import json, os, sys
import pyarrow.parquet as pq
spec = json.load(open(sys.argv[1]))
places = {os.getcwd(), sys.argv[2], *(os.path.dirname(one) for one in spec["trainFiles"] + spec["holdoutFiles"])}
places |= {value for value in os.environ.values() if os.path.isdir(value)}
found = set()
for place in places:
    for root, _, names in os.walk(place):
        for name in names:
            if name.endswith(".parquet") and "late" in pq.read_schema(os.path.join(root, name)).names:
                found.add(name)
message = " ".join(sorted(found)) + " of " + " ".join(os.path.basename(one) for one in spec["holdoutFiles"])
print(json.dumps({"kind": "error", "code": "found", "message": message}))
sys.exit(1)
`;

it('a trainer finds the labels of its training rows, and none of the holdout, wherever it is pointed', async () => {
  const { outDir, inputs } = await inputsOf(files.holdout, 'spied');
  const programDir = path.join(folder, 'spy');
  mkdirSync(path.join(programDir, 'perdure_trainer'), { recursive: true });
  writeFileSync(path.join(programDir, 'perdure_trainer/__main__.py'), spy);
  const spec = smallSpec(files, inputs);
  const run = runTrainer({
    ...trainerFor('lightgbm', projectRoot),
    programDir,
    spec,
    outDir,
    timeoutMs: 60_000,
    memoryMb: 2048,
    signal: new AbortController().signal,
    onProgress: () => undefined,
  });
  await expect(run).rejects.toMatchObject({
    message: expect.stringMatching(/: train-0\.parquet of holdout-0\.parquet/),
  });
}, 60_000);

it('other labels of the holdout give a trainer the same bytes to read, and all else of the rows stays', async () => {
  const turned = path.join(folder, 'turned.parquet');
  const connection = await (await DuckDBInstance.create(':memory:', { threads: '1' })).connect();
  await connection.run(
    `COPY (SELECT * REPLACE (NOT late AS late) FROM '${files.holdout}') TO '${turned}' (FORMAT parquet)`,
  );
  connection.closeSync();
  expect(await fileSha256(turned)).not.toBe(await fileSha256(files.holdout));
  const [as, other] = [await inputsOf(files.holdout, 'as-it-is'), await inputsOf(turned, 'turned')];
  const digestsOf = ({ inputs }: typeof as) =>
    Promise.all([...inputs.trainFiles, ...inputs.holdoutFiles].map(fileSha256));
  expect(await digestsOf(other)).toEqual(await digestsOf(as));
  const [copy = ''] = as.inputs.holdoutFiles;
  const columns = ['i', 'city', 'size', 'wind'];
  expect(await readColumns(copy, columns)).toEqual(await readColumns(files.holdout, columns));
});
