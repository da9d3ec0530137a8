import { randomUUID } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync, openAsBlob } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadDefinitions } from '../../../cli/definitions/load-definitions.js';
import { pinPrograms } from '../../../cli/definitions/trainer-folder.js';
import { writeModel } from '../../../cli/init/write-model.js';
import { startImport } from '../../../client/importing.js';
import { startTraining, trainingResult } from '../../../client/training.js';
import { versionOf } from '../../../db/model/version-queries.js';
import { programDigest } from '../../../domain/training/program-archive.js';
import type { TaskName } from '../../../domain/tasks/task.js';
import { startApi, type TestApi } from '../api/start-api.js';
import { startWorkers, type TestWorkers } from '../api/start-workers.js';

const root = path.resolve(import.meta.dirname, '../../..');
let running: TestApi;
let workers: TestWorkers;
/** A checkout of its own, below this one so that its files find what they import. */
let project: string;
beforeAll(async () => {
  running = await startApi();
  workers = await startWorkers(running, {});
  mkdirSync(path.join(root, '.perdure'), { recursive: true });
  project = mkdtempSync(path.join(root, '.perdure', 'test-models-'));
  for (const shared of ['domain', 'trainers']) symlinkSync(path.join(root, shared), path.join(project, shared));
}, 120_000);
afterAll(async () => {
  await workers.stop();
  await running.close();
  rmSync(project, { recursive: true, force: true });
});

const named = (kind: string) => `${kind}-${randomUUID().slice(0, 8)}`;

/** What `models init`, `apply`, `data put` and `train --wait` do. */
async function trainNew(name: string, asked: Omit<Parameters<typeof writeModel>[1], 'name' | 'owner'>) {
  const written = await writeModel(project, { ...asked, name, owner: 'ada@example.org' });
  await applyAll();
  for (const { file, part } of written.files)
    await running.api.putData({
      ...{ model: name, table: written.table, partition: part || undefined },
      bytes: await openAsBlob(path.join(project, 'models', name, file)),
    });
  return train(name);
}

async function applyAll(): Promise<void> {
  const { definitions, programs } = pinPrograms(project, await loadDefinitions(project));
  for (const { sha256, archive } of programs) await running.api.keepProgram(sha256, archive);
  await running.api.apply({ definitions, actor: 'ada@example.org' });
}

async function train(model: string) {
  const { workflowId, runId } = await startTraining(workers.temporal, { model });
  return trainingResult(workers.temporal, workflowId, runId);
}

describe('a folder that models init has written', () => {
  const tasks: TaskName[] = ['regression', 'ranking', 'embedding'];
  it.each(tasks)('trains a %s model on its own table', { timeout: 600_000 }, async (task) => {
    const result = await trainNew(named(task), { task, key: [], program: task === 'embedding' });
    expect(result).toMatchObject({ outcome: 'registered', version: 1 });
  });

  it('of a CSV file without a time or a key trains on its columns', { timeout: 600_000 }, async () => {
    const rows = Array.from({ length: 600 }, (_, row) => [row % 17, (row * 7) % 23, row % 3 === 0 ? '' : 'b c']);
    const lines = rows.map(([a, b, c]) => [a, b, c, Number(a) > Number(b) ? 'yes' : 'no'].join(','));
    const file = path.join(project, 'given.csv');
    writeFileSync(file, `first value (cm),second,the third,label\n${lines.join('\n')}\n`);
    const name = named('csv');
    const asked = { file, label: 'label', positive: 'yes', task: 'binary' as const, key: [], program: false };
    expect(await trainNew(name, asked)).toMatchObject({ outcome: 'registered' });
    const model = readFileSync(path.join(project, 'models', name, 'model.ts'), 'utf8');
    expect(model).toMatch(/first_value_cm: \{ type: 'number' \}/);
  });
});

describe('a trainer of the team’s own', () => {
  it('is refused under another digest, and so is a definition whose program was not sent', async () => {
    const name = named('unsent');
    await writeModel(project, { name, owner: 'ada', task: 'binary', key: [], program: true });
    const { definitions, programs } = pinPrograms(project, await loadDefinitions(project));
    const [archive] = programs.map((program) => program.archive);
    if (!archive) return expect.fail('there is no program');
    await expect(running.api.keepProgram('0'.repeat(64), archive)).rejects.toMatchObject({ code: 'input/invalid' });
    const one = definitions.find((definition) => definition.name === name);
    const unsent = { folder: './trainer', sha256: 'f'.repeat(64) };
    for (const program of [unsent, './trainer']) {
      const asked = { definitions: [{ ...one, training: { ...one?.training, program } }], actor: 'ada' };
      await expect(running.api.apply(asked)).rejects.toMatchObject({
        code: 'definition/invalid',
        message: expect.stringMatching(/training\.program: the program .* was not sent/),
      });
    }
    rmSync(path.join(project, 'models', name), { recursive: true });
  });

  it(
    'trains by the program that was applied, is named in the lineage, and a model of it can be imported again',
    { timeout: 600_000 },
    async () => {
      const model = named('own');
      const result = await trainNew(model, { task: 'binary', key: [], program: true });
      expect(result).toMatchObject({ outcome: 'registered', version: 1 });
      const [own] = pinPrograms(project, await loadDefinitions(project)).programs.slice(-1);
      const { lineage, artifactSha256 } = await versionOf(running.db, model, 1);
      expect(lineage.programSha256).toBe(own && programDigest(own.archive));

      const again = await train(model);
      expect(again.outcome).toBe('no-new-data');
      const notes = path.join(project, 'models', model, 'trainer', 'perdure_trainer', 'model.py');
      writeFileSync(notes, `${readFileSync(notes, 'utf8')}# another\n`);
      await applyAll();
      expect(await train(model)).toMatchObject({ outcome: 'registered', version: 2 });

      const bytes = await running.api.artifact(model, 1);
      const sent = await running.api.sendModel(model, new Blob([Buffer.from(bytes)]));
      expect(sent.sha256).toBe(artifactSha256);
      const declared = { source: 'a notebook', author: 'Grace' };
      const started = await startImport(workers.temporal, {
        model,
        sha256: sent.sha256,
        native: { version: 1 },
        declared,
        actor: 'grace',
      });
      const imported = await trainingResult(workers.temporal, started.workflowId, started.runId);
      expect(imported).toMatchObject({ outcome: 'registered', version: 3 });
      const version = await versionOf(running.db, model, 3);
      expect(version.artifactSha256).toBe(artifactSha256);
      expect(version.lineage.imported).toEqual({
        fileSha256: artifactSha256,
        nativeSha256: artifactSha256,
        declared,
      });
      expect(await running.api.run(started.runId)).toMatchObject({ cause: { kind: 'person', actor: 'grace' } });
    },
  );
});
