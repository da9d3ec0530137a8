import { readdirSync } from 'node:fs';
import { mkdir, readdir, rm, writeFile } from 'node:fs/promises';
import { setPriority } from 'node:os';
import path from 'node:path';
import type { LocalDuckSession } from '../../adapters/data-engine/duck-session.js';
import { createObjectStore, type ObjectStore } from '../../adapters/object-store/object-store.js';
import { messageOf } from '../../domain/errors.js';
import { modelNameSchema } from '../../domain/names.js';
import { objectKeys } from '../../domain/object-keys.js';
import type { LogKind } from '../../domain/serving/prediction-log-columns.js';
import { convertSegment } from './convert-segment.js';
import { openConverter } from './segment-to-parquet.js';
import { shipperOptionsSchema, type FromShipper, type ShipperOptions } from './shipper-messages.js';
import { segmentSuffix, setAsideSuffix } from './spool.js';

/**
 * The program that carries closed spool segments to the object store. It may be killed at any moment: a segment goes
 * away only after its Parquet has arrived.
 */

const failureDelayMaxMs = 15_000;
/**
 * Niceness: answers come first. A quarter of a core remains when all cores are busy; what that does not ship waits in
 * the spool.
 */
const niceness = 5;

stepBack();
process.on('disconnect', () => process.exit(0));
// Ctrl-C reaches the whole group; the gateway decides when this process ends.
process.on('SIGINT', () => undefined);
process.on('SIGTERM', () => undefined);
process.once('message', (message) => void shipForEver(shipperOptionsSchema.parse(message)));
say({ kind: 'ready' });

function say(message: FromShipper): void {
  process.send?.(message, undefined, undefined, () => undefined);
}

/**
 * Lowers the priority of every thread of this process; threads that come later take it over from the one that starts
 * them.
 */
function stepBack(): void {
  let threads: number[];
  try {
    threads = readdirSync('/proc/self/task').map(Number);
  } catch {
    threads = [0]; // Where there is no /proc, 0 is this process, whole.
  }
  for (const thread of threads) {
    try {
      setPriority(thread, niceness);
    } catch {
      // A thread that has ended, or a system that does not let us: shipping works as well.
    }
  }
}

async function shipForEver(options: ShipperOptions): Promise<never> {
  const store = createObjectStore(options.store);
  await rm(options.workFolder, { recursive: true, force: true });
  let failures = 0;
  let converter: LocalDuckSession | undefined;
  for (;;) {
    try {
      await mkdir(options.workFolder, { recursive: true });
      converter ??= await openConverter(options.workFolder);
      await shipAll(options, store, converter);
      failures = 0;
    } catch (error) {
      failures += 1;
      // Whatever it was: the next try begins with a new one.
      converter?.close();
      converter = undefined;
      say({ kind: 'failed', message: messageOf(error) });
    }
    const delayMs = failures === 0 ? options.everyMs : Math.min(failureDelayMaxMs, options.everyMs * 2 ** failures);
    await new Promise((resolve) => setTimeout(resolve, delayMs));
  }
}

/** Ships every closed segment, the oldest first. @throws when the object store does not take one. */
async function shipAll(options: ShipperOptions, store: ObjectStore, converter: LocalDuckSession): Promise<void> {
  for (const log of ['labels', 'predictions'] as const) {
    for (const { model, file } of await closedSegments(options.spools[log]))
      await ship(options, { store, converter }, log, model, file);
  }
}

async function closedSegments(folder: string): Promise<{ model: string; file: string }[]> {
  const found: { model: string; file: string }[] = [];
  for (const model of await readdir(folder).catch(() => [])) {
    if (!modelNameSchema.safeParse(model).success) continue;
    const names = await readdir(path.join(folder, model)).catch(() => []);
    found.push(
      ...names
        .filter((name) => name.endsWith(segmentSuffix))
        .map((name) => ({ model, file: path.join(folder, model, name) })),
    );
  }
  return found.sort((left, right) => (path.basename(left.file) < path.basename(right.file) ? -1 : 1));
}

async function ship(
  { environment, workFolder }: ShipperOptions,
  { store, converter }: { store: ObjectStore; converter: LocalDuckSession },
  log: LogKind,
  model: string,
  file: string,
): Promise<void> {
  const segment = path.basename(file, segmentSuffix);
  const day = `${segment.slice(0, 4)}-${segment.slice(4, 6)}-${segment.slice(6, 8)}`;
  const parquet = path.join(workFolder, `${segment}.parquet`);
  const { setAside, ...counts } = await convertSegment(log, file, parquet, workFolder, converter);
  // Before the segment goes, so that a repetition finds all of it again.
  if (setAside.length > 0) await writeFile(`${file}${setAsideSuffix}`, `${setAside.join('\n')}\n`);
  const key =
    log === 'predictions'
      ? objectKeys.predictions(environment, model, day, segment)
      : objectKeys.labels(model, day, segment);
  if (counts.rows > 0) await store.put(key, { file: parquet }, { contentType: 'application/vnd.apache.parquet' });
  await rm(file, { force: true });
  await rm(parquet, { force: true });
  say({ kind: 'shipped', log, file, ...counts });
}
