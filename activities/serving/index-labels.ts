import { mkdir, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { z } from 'zod';
import { openDuckSession, type DuckSession } from '../../adapters/data-engine/duck-session.js';
import { inParallel } from '../../adapters/data-engine/prediction-log/in-parallel.js';
import { logBatches } from '../../adapters/data-engine/prediction-log/log-objects.js';
import { isDamage } from '../../adapters/data-engine/prediction-log/log-reader.js';
import { contentsOf } from '../../adapters/data-engine/prediction-log/merge-files.js';
import { logTable } from '../../adapters/data-engine/prediction-log/log-table.js';
import { predictionDaySql } from '../../adapters/data-engine/prediction-log/prediction-day.js';
import { quoteName, quoteText } from '../../adapters/data-engine/quote-sql.js';
import { fileDigest } from '../../adapters/data-engine/snapshot/write-partition.js';
import type { ListedObject } from '../../adapters/object-store/object-store.js';
import { makeWorkFolder, removeWorkFolder } from '../../adapters/work-folder.js';
import { objectKeys } from '../../domain/object-keys.js';
import { logColumns } from '../../domain/serving/prediction-log-columns.js';
import { proveHeld, sessionMemoryMb, type Compacted, type CompactionDeps } from './compact-predictions.js';

const batchMax = { filesMax: 256, bytesMax: 64 * 1024 ** 2 };
const segmentsMax = 4_000;
const transfersMax = 8;
/** A day of predictions with more objects than this has them merged. */
const objectsMax = 16;

const columns = Object.keys(logColumns.labels).map(quoteName).join(', ');
const daysSchema = z.object({ day: z.string() });

/**
 * Moves the labels that came on a day to where the days of their predictions have them, so that whoever asks for those
 * reads nothing else. May be killed anywhere, and run twice at a time: a label is then there twice, and readers keep
 * one a prediction.
 */
export async function indexLabels(
  deps: CompactionDeps,
  { model, day }: { model: string; day: string },
): Promise<Compacted> {
  const listed = (await deps.store.list(objectKeys.labelsOfDay(model, day))).filter(({ key }) =>
    key.endsWith('.parquet'),
  );
  const taken = listed.slice(0, segmentsMax);
  const done: Compacted = { merged: 0, parts: 0, rows: 0, removed: 0, more: listed.length > taken.length };
  if (taken.length === 0) return done;
  const folder = await makeWorkFolder(deps.home, 'label-index');
  const session = await openDuckSession({ folder, threads: 1, memoryLimitMb: sessionMemoryMb, signal: deps.signal });
  try {
    const index = new LabelIndex(deps, session, folder, model);
    for (const batch of logBatches(taken, batchMax)) {
      deps.signal?.throwIfAborted();
      const written = await index.move(batch);
      done.merged += written.moved;
      done.removed += written.moved;
      done.parts += written.objects;
      done.rows += written.rows;
      deps.report?.(`${done.merged} of ${taken.length} segments`);
    }
    for (const predicted of index.touched) done.removed += await index.mergeDay(predicted);
    return done;
  } finally {
    session.close();
    await removeWorkFolder(folder);
  }
}

class LabelIndex {
  readonly touched = new Set<string>();
  private number = 0;

  constructor(
    private readonly deps: CompactionDeps,
    private readonly session: DuckSession,
    private readonly folder: string,
    private readonly model: string,
  ) {}

  /** Writes the labels of segments by the days of their predictions, and removes the segments. */
  async move(batch: readonly ListedObject[]): Promise<{ moved: number; objects: number; rows: number }> {
    const files = await this.fetch(batch);
    const readable: number[] = [];
    for (const [index, file] of files.entries()) if (await this.isReadable(file)) readable.push(index);
    const sources = readable.map((index) => files[index] ?? '');
    for (const [index, object] of batch.entries())
      if (!readable.includes(index)) await this.setAside(object, files[index] ?? '');
    if (sources.length === 0) return { moved: 0, objects: 0, rows: 0 };
    await this.session.run(
      `CREATE OR REPLACE TABLE moved AS SELECT ${columns}, ${predictionDaySql('prediction_id')} AS predicted
       FROM ${logTable('labels', sources)}`,
    );
    const days = await this.session.rows('SELECT DISTINCT predicted AS day FROM moved ORDER BY day', daysSchema);
    let rows = 0;
    for (const { day } of days) {
      rows += await this.put(day, `SELECT ${columns} FROM moved WHERE predicted = ${quoteText(day)}`);
      this.touched.add(day);
    }
    const { rows: wanted } = await contentsOf(this.session, 'labels', sources);
    if (rows !== wanted) throw new Error(`${rows} of ${wanted} labels were written`);
    await this.remove(readable.flatMap((index) => batch[index] ?? []));
    await Promise.all(files.map((file) => rm(file, { force: true })));
    return { moved: readable.length, objects: days.length, rows };
  }

  /** Makes one object of many. @returns how many were removed */
  async mergeDay(day: string): Promise<number> {
    const listed = await this.deps.store.list(objectKeys.labelsOfPredictionDay(this.model, day));
    const [batch = []] = logBatches(listed, batchMax);
    if (batch.length <= objectsMax) return 0;
    const files = await this.fetch(batch);
    const key = await this.putQuery(day, `SELECT ${columns} FROM ${logTable('labels', files)}`);
    const gone = batch.filter((object) => object.key !== key.key);
    await this.remove(gone);
    await Promise.all(files.map((file) => rm(file, { force: true })));
    return gone.length;
  }

  private async put(day: string, query: string): Promise<number> {
    return (await this.putQuery(day, query)).rows;
  }

  /** In the order in which they came: of several received at one time the last counts. */
  private async putQuery(day: string, query: string): Promise<{ key: string; rows: number }> {
    const file = path.join(this.folder, `index-${(this.number += 1)}.parquet`);
    await this.session.run(
      `COPY (${query} ORDER BY received_at) TO ${quoteText(file)} (FORMAT parquet, COMPRESSION zstd)`,
    );
    const contents = await contentsOf(this.session, 'labels', [file]);
    const key = objectKeys.labelIndex(this.model, day, await fileDigest(file));
    const { sha256 } = await this.deps.store.put(key, { file }, { contentType: 'application/vnd.apache.parquet' });
    await proveHeld(this.deps.store, this.session, { kind: 'labels', key, sha256, contents, folder: this.folder });
    await rm(file, { force: true });
    return { key, rows: contents.rows };
  }

  private async fetch(batch: readonly ListedObject[]): Promise<string[]> {
    const folder = path.join(this.folder, `batch-${(this.number += 1)}`);
    await mkdir(folder);
    return inParallel(batch, transfersMax, async ({ key }, index) => {
      const file = path.join(folder, `${String(index).padStart(6, '0')}.parquet`);
      await this.deps.store.getToFile(key, file);
      return file;
    });
  }

  /** What is no Parquet is kept where nobody reads it again. */
  private async setAside(object: ListedObject, file: string): Promise<void> {
    await this.deps.store.put(objectKeys.unreadableLabels(this.model, object.key.split('/').at(-1) ?? ''), { file });
    await this.remove([object]);
  }

  private async isReadable(file: string): Promise<boolean> {
    try {
      await stat(file);
      await contentsOf(this.session, 'labels', [file]);
      return true;
    } catch (error) {
      if (isDamage(error)) return false;
      throw error;
    }
  }

  private async remove(objects: readonly ListedObject[]): Promise<void> {
    await inParallel(objects, transfersMax, ({ key }) => this.deps.store.delete(key));
  }
}
