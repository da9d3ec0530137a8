import { z } from 'zod';

/**
 * A day of the prediction log after compaction: parts instead of segments. The manifest with the highest number says
 * which parts count and which segments each holds; a segment that it names counts no more, whether it is still there or
 * comes again. A reader lists the day first and reads the manifest then: what it has not listed any more, the manifest
 * names.
 */
export const compactionManifestSchema = z.object({
  schemaVersion: z.literal(1),
  parts: z.array(
    z.object({
      /** Last part of its key. */
      name: z.string().regex(/^part-[0-9a-z-]+\.parquet$/),
      bytes: z.number().int().min(1),
      sha256: z.string(),
      rows: z.number().int().min(0),
      /** Names of the segments that it holds, without their suffix. */
      segments: z.array(z.string()),
    }),
  ),
  /** Segments that are no Parquet: they are left where they are, and not tried again. */
  unreadable: z.array(z.string()),
});
export type CompactionManifest = z.infer<typeof compactionManifestSchema>;
export type CompactedPart = CompactionManifest['parts'][number];

/** The number of a manifest's key; undefined for what is none. */
export function manifestNumber(key: string): number | undefined {
  const digits = /\/compacted-(\d+)\.json$/.exec(key)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

/** The number of the first manifest that may name a part; undefined for what is none. */
export function partNumber(key: string): number | undefined {
  const digits = /\/part-(\d+)-[0-9a-z-]+\.parquet$/.exec(key)?.[1];
  return digits === undefined ? undefined : Number(digits);
}

export const isPart = (key: string): boolean => partNumber(key) !== undefined;

/** The name of a segment in its key. */
export const segmentName = (key: string): string => key.slice(key.lastIndexOf('/') + 1).replace(/\.parquet$/, '');

/** A part smaller than this is merged again with what comes later; a new one is closed when it is as large. */
export const partBytes = 8 * 1024 ** 2;
const smallPartBytes = partBytes / 2;

export const isSmall = ({ bytes }: Pick<CompactedPart, 'bytes'>): boolean => bytes < smallPartBytes;

/** How long what was merged is still there, for readers that listed it before. */
export const graceMs = 15 * 60_000;

/** How long after its end a day gets segments as a rule: what comes later is merged later. */
const lateMs = 3_600_000;

/** Whether a day's segments are merged at a time; those of today are left to gateways. */
export const isClosed = (day: string, now: Date): boolean =>
  day < new Date(now.getTime() - lateMs).toISOString().slice(0, 10);

const recentDays = 7;
const hoursAWeek = 7 * 24;

/** Which days a pass looks at: those of the last week, and of older ones each once a week, for what came very late. */
export function isLookedAt(day: string, now: Date): boolean {
  const dayNumber = Math.floor(Date.parse(`${day}T00:00:00Z`) / 86_400_000);
  const hour = Math.floor(now.getTime() / 3_600_000);
  return hour / 24 - dayNumber <= recentDays + 1 || dayNumber % hoursAWeek === hour % hoursAWeek;
}

/** One of each list in turn, so that a log with much to do does not hold up the others. */
export function inTurn<Item>(lists: readonly (readonly Item[])[], most: number): Item[] {
  const taken: Item[] = [];
  const longest = Math.max(0, ...lists.map((list) => list.length));
  for (let at = 0; at < longest && taken.length < most; at += 1)
    taken.push(...lists.flatMap((list) => list.slice(at, at + 1)));
  return taken.slice(0, most);
}
