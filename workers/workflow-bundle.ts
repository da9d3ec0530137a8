import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat, utimes, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { bundleWorkflowCode, DefaultLogger } from '@temporalio/worker';

const root = path.join(path.dirname(fileURLToPath(import.meta.url)), '..');

/** What a bundle of the workflows is made of; tests and replays use the same. */
export const bundleSources = {
  workflowsPath: path.join(root, 'workflows', 'index.ts'),
  workflowInterceptorModules: ['plain-failures.ts', 'activity-summaries.ts'].map((name) =>
    path.join(root, 'workflows', name),
  ),
};

/** Bundles of other states of the sources are kept, for workers that start from them. */
const bundlesKept = 10;

/** The workflow bundle, made once per state of its sources: bundling is most of a worker's start. */
export async function loadWorkflowBundle(home: string): Promise<{ workflowBundle: { codePath: string } }> {
  const folder = path.join(home, 'cache', 'workflow-bundles');
  const codePath = path.join(folder, `${await sourceDigest()}.cjs`);
  try {
    await utimes(codePath, new Date(), new Date());
  } catch {
    await mkdir(folder, { recursive: true });
    const { code } = await bundleWorkflowCode({ ...bundleSources, logger: new DefaultLogger('WARN') });
    const temporary = `${codePath}.${process.pid}`;
    await writeFile(temporary, code);
    await rename(temporary, codePath);
    await forgetOldBundles(folder);
  }
  return { workflowBundle: { codePath } };
}

async function forgetOldBundles(folder: string): Promise<void> {
  const usedAt = (file: string) =>
    stat(file).then(
      ({ mtimeMs }) => mtimeMs,
      () => 0,
    );
  const files = (await readdir(folder)).map((name) => path.join(folder, name));
  const found = await Promise.all(files.map(async (file) => ({ file, usedAt: await usedAt(file) })));
  const old = found.toSorted((left, right) => right.usedAt - left.usedAt).slice(bundlesKept);
  await Promise.all(old.map(({ file }) => rm(file, { force: true })));
}

/** Digest of all that goes into the bundle: the workflows, the domain, and the versions of what they import. */
async function sourceDigest(): Promise<string> {
  const hash = createHash('sha256');
  for (const folder of ['workflows', 'domain']) {
    const files = (await readdir(path.join(root, folder), { recursive: true }))
      .filter((name) => name.endsWith('.ts'))
      .sort();
    for (const file of files) hash.update(file).update(await readFile(path.join(root, folder, file)));
  }
  return hash.update(await readFile(path.join(root, 'package-lock.json'))).digest('hex');
}
