import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { definitionDigest, type ModelDefinition } from '../../../../domain/model/model-definition.js';
import { parseModelDefinition } from '../../../../domain/model/parse-definition.js';
import flightDelay from '../../../../models/flight-delay/model.js';
import { RouteFile } from '../../../../serving/routing/route-file.js';
import { spareFilesMax } from '../../../../serving/routing/spare-files.js';

let home: string;
beforeEach(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'perdure-route-file-'));
});
afterEach(() => rm(home, { recursive: true, force: true }));

const definitions = Array.from({ length: 3 * spareFilesMax }, (_, index) =>
  parseModelDefinition({ ...flightDelay, description: `number ${index}` }),
);
const digests = definitions.map((definition) => definitionDigest(definition));
const fetched = (sha256: string): Promise<ModelDefinition> =>
  Promise.resolve(definitions[digests.indexOf(sha256)] as ModelDefinition);

/** All definitions on disk, each a minute younger than the one before. */
async function keepAll(file: RouteFile): Promise<void> {
  for (const [index, sha256] of digests.entries()) {
    await file.definition(sha256, fetched);
    const at = new Date(Date.UTC(2026, 0, 1, 0, index));
    await utimes(path.join(home, 'definitions', `${sha256}.json`), at, at);
  }
}
const left = async () => (await readdir(path.join(home, 'definitions'))).map((name) => path.basename(name, '.json'));

it('keeps definitions that a version in memory, a route on disk or callers of an earlier route need, and the newest others', async () => {
  const [served, former, loaded] = digests as [string, string, string];
  const state = {
    storeId: 's',
    routes: [],
    versions: [{ model: 'm', version: 2, artifactSha256: 'a'.repeat(64), artifactKey: 'a', definitionSha256: served }],
    former: [{ model: 'm', version: 3, definitionSha256: former }],
  };
  const file = new RouteFile(home);
  await keepAll(file);
  await file.write(state);
  await file.prune(new Set([loaded]));
  const expected = [served, former, loaded, ...digests.slice(-spareFilesMax)].sort();
  expect((await left()).sort()).toEqual(expected);

  const restarted = new RouteFile(home);
  expect(await restarted.read()).toMatchObject({ versions: state.versions });
  await restarted.prune(new Set());
  expect((await left()).sort()).toEqual([served, former, ...digests.slice(-spareFilesMax)].sort());
});

it('removes nothing while there are few', async () => {
  const file = new RouteFile(home);
  await file.definition(digests[0] as string, fetched);
  await file.prune(new Set());
  expect(await left()).toEqual([digests[0]]);
});
