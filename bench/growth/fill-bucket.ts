import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { ObjectStore } from '../../adapters/object-store/object-store.js';
import { objectKeys } from '../../domain/object-keys.js';
import { modelNames, type GrowthShape } from './shape.js';

const atOnce = 24;

/** Runs what there is to do, so many at once. */
export async function inParallel<Item>(
  items: Iterable<Item>,
  work: (item: Item) => Promise<unknown>,
  most = atOnce,
): Promise<void> {
  const left = items[Symbol.iterator]();
  const one = async () => {
    for (let next = left.next(); next.done !== true; next = left.next()) await work(next.value);
  };
  await Promise.all(Array.from({ length: most }, one));
}

/**
 * Puts the artifact that each model serves now: one file under a digest of its own for each, by a note that ONNX
 * ignores.
 * @returns the digests by model
 */
export async function putServedArtifacts(
  store: Pick<ObjectStore, 'put'>,
  shape: GrowthShape,
  modelFile: string,
): Promise<Map<string, string>> {
  const bytes = await readFile(modelFile);
  const digests = new Map<string, string>();
  await inParallel(modelNames(shape), async (model) => {
    // Field 6 of an ONNX model is its doc_string; of several the last counts.
    const own = Buffer.concat([bytes, Buffer.from([0x32, model.length]), Buffer.from(model)]);
    const sha256 = createHash('sha256').update(own).digest('hex');
    digests.set(model, sha256);
    await store.put(objectKeys.artifact(sha256), own);
  });
  return digests;
}

/** A model card of each version, as JSON and as Markdown. */
export async function putCards(store: Pick<ObjectStore, 'put'>, shape: GrowthShape): Promise<void> {
  const text = 'What it predicts, on what it was trained and tested, how well, and for whom not.\n'.repeat(40);
  const cards = modelNames(shape).flatMap((model) =>
    Array.from({ length: shape.versions }, (_, index) => ({ model, version: index + 1 })),
  );
  await inParallel(cards, async ({ model, version }) => {
    await store.put(objectKeys.modelCard(model, version, 'json'), JSON.stringify({ model, version, text }));
    await store.put(objectKeys.modelCard(model, version, 'md'), `# ${model}@${version}\n\n${text}`);
  });
}
