import { z } from 'zod';
import { cadenceWords, type Cadence } from './cadence.js';

const dayMs = 86_400_000;
const hourMs = 3_600_000;
/** 1970-01-01 was a Thursday: weeks are counted from the Monday before. */
const mondayOffset = 3;

const monthPattern = String.raw`\d{4}-(?:0[1-9]|1[0-2])`;
const dayPattern = `${monthPattern}-(?:0[1-9]|[12]\\d|3[01])`;
const patterns = {
  hour: `${dayPattern}T(?:[01]\\d|2[0-3])`,
  day: dayPattern,
  week: String.raw`\d{4}-W(?:0[1-9]|[1-4]\d|5[0-3])`,
  month: monthPattern,
  static: 'all',
} as const satisfies Record<Cadence, string>;

/** A year of four digits; a Date takes those below 100 for others. */
const utc = (year: number, month: number, day: number, hour = 0): number =>
  new Date(0).setUTCFullYear(year, month - 1, day) + hour * hourMs;

const isoText = (time: number, length: number): string => new Date(time).toISOString().slice(0, length);

/** The first Monday of an ISO year is that of the week with 4 January. */
const firstMonday = (year: number): number => Math.floor((utc(year, 1, 4) / dayMs + mondayOffset) / 7);

function weekText(week: number): string {
  const year = new Date((week * 7 - mondayOffset + 3) * dayMs).getUTCFullYear();
  return `${String(year).padStart(4, '0')}-W${String(week - firstMonday(year) + 1).padStart(2, '0')}`;
}

/** The number of a partition among those of its cadence, and the partition of a number. */
const counting: Record<Cadence, { number: (text: string) => number; text: (count: number) => string }> = {
  hour: {
    number: (text) => Date.parse(`${text}:00:00Z`) / hourMs,
    text: (count) => isoText(count * hourMs, 13),
  },
  day: { number: (text) => Date.parse(`${text}T00:00:00Z`) / dayMs, text: (count) => isoText(count * dayMs, 10) },
  week: {
    number: (text) => firstMonday(Number(text.slice(0, 4))) + Number(text.slice(6)) - 1,
    text: weekText,
  },
  month: {
    number: (text) => Number(text.slice(0, 4)) * 12 + Number(text.slice(5)) - 1,
    text: (count) => `${String(Math.floor(count / 12)).padStart(4, '0')}-${String((count % 12) + 1).padStart(2, '0')}`,
  },
  static: { number: () => 0, text: () => 'all' },
};

const shapes = Object.entries(patterns).map(([cadence, pattern]) => ({
  cadence: cadence as Cadence,
  shape: new RegExp(`^${pattern}$`),
}));

/** The cadence that a text is a partition of, by its form; undefined where it is none, or no date of the calendar. */
function cadenceOfText(text: string): Cadence | undefined {
  const found = shapes.find(({ shape }) => shape.test(text))?.cadence;
  return found !== undefined && counting[found].text(counting[found].number(text)) === text ? found : undefined;
}

const examples = (['month', 'week', 'day', 'hour'] as const).map(
  (cadence) => `a ${cadence} (${cadenceWords[cadence].example})`,
);

/**
 * A partition is what lands at once: an hour (UTC), or a day, an ISO week or a calendar month of the model's time zone;
 * `all` is the only one of static data. The form tells which, and the order of texts is the order of time.
 */
export const partitionSchema = z
  .string()
  .regex(new RegExp(`^(?:${Object.values(patterns).join('|')})$`), `must be ${examples.join(', ')} or all`)
  .refine((text) => cadenceOfText(text) !== undefined, 'is no date of the calendar');

export type Partition = z.infer<typeof partitionSchema>;

/** The only partition of static data. */
export const wholeTable: Partition = 'all';

/** @throws RangeError for what is no partition: whoever calls has parsed it. */
export function cadenceOf(partition: Partition): Cadence {
  const cadence = cadenceOfText(partition);
  if (cadence === undefined) throw new RangeError(`${partition} is no partition`);
  return cadence;
}

/** The number of a partition among those of its cadence: neighbours differ by one. */
export const partitionNumber = (partition: Partition): number => counting[cadenceOf(partition)].number(partition);

/** The partition `steps` later (earlier when negative). Static data has but one. */
export function addPartitions(partition: Partition, steps: number): Partition {
  const { number, text } = counting[cadenceOf(partition)];
  return text(number(partition) + steps);
}

/** How many partitions there are from `from` to `until`, both included; 0 when `until` is earlier. */
export const countPartitions = (from: Partition, until: Partition): number =>
  Math.max(0, partitionNumber(until) - partitionNumber(from) + 1);

/** All partitions from `from` to `until`, both included; empty when `until` is earlier. */
export function partitionRange(from: Partition, until: Partition): Partition[] {
  const { number, text } = counting[cadenceOf(from)];
  const first = number(from);
  return Array.from({ length: countPartitions(from, until) }, (_, index) => text(first + index));
}

/** The folder of a partition in the lake: `day=2013-04-07`. */
export const partitionFolder = (partition: Partition): string => `${cadenceOf(partition)}=${partition}`;

/** The partition that a folder of the lake is, of this cadence; undefined where it is none. */
export function partitionInFolder(folder: string | undefined, cadence: Cadence): Partition | undefined {
  const prefix = `${cadence}=`;
  const text = folder?.startsWith(prefix) ? folder.slice(prefix.length) : '';
  return cadence !== 'static' && cadenceOfText(text) === cadence ? text : undefined;
}

/**
 * Why a partition is none of a model of this cadence, with the form that is right; undefined where it is one, and of a
 * text that is no partition at all.
 */
export function wrongCadence(partition: Partition, cadence: Cadence): string | undefined {
  const own = cadenceOfText(partition);
  if (own === cadence || own === undefined) return undefined;
  const { one, many, form, example } = cadenceWords[cadence];
  if (cadence === 'static') return `${partition} is a ${cadenceWords[own].one}, and static data has none: write all`;
  const is = own === 'static' ? 'is the partition of static data' : `is a${own === 'hour' ? 'n' : ''} ${own}`;
  return (
    `${partition} ${is}, and the partitions of this model are ${many}: write the ${one} as ${form}, ` +
    `for example ${example}`
  );
}

const rangesMax = 10;

/** From one partition to another, in words. */
export const describeRange = (first: Partition, last: Partition): string =>
  first === last ? first : `${first} … ${last}`;

/** Partitions in few words, however many there are: `2013-02, 2013-05 … 2014-01`. */
export function describePartitions(partitions: readonly Partition[]): string {
  const ranges: { first: Partition; last: Partition }[] = [];
  for (const partition of partitions.toSorted()) {
    const range = ranges.at(-1);
    if (range && partition <= addPartitions(range.last, 1)) range.last = partition;
    else ranges.push({ first: partition, last: partition });
  }
  const shown = ranges.slice(0, rangesMax).map(({ first, last }) => describeRange(first, last));
  const more = ranges.length - shown.length;
  return shown.join(', ') + (more > 0 ? ` and ${more} more ranges` : '');
}
