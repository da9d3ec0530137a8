import type { CronFields } from './cron.js';
import { wallClock, type WallClock, type WallTime } from '../calendar/wall-clock.js';

const hourMs = 3_600_000;
const dayMs = 24 * hourMs;
/** Of what fires less than once in two years. */
const rareGapMs = 366 * dayMs;
/** Temporal looks no further. */
const lastYear = 2100;

/**
 * The first firing after a time, as Temporal's server finds it. When clocks go forward, times that do not exist are
 * passed over; when they go back, those that come twice fire twice. Undefined when there is none.
 */
export function nextFiring(fields: CronFields, timeZone: string, after: number): number | undefined {
  const clock = wallClock(timeZone);
  const at = clock.read(after);
  // An hour that comes twice is looked through twice: the second time this much later.
  let shiftMs = clock.read(after - hourMs).hour === at.hour ? hourMs : 0;
  const toHour = (hour: number) => Object.assign(at, { hour, minute: 0 });
  at.minute += 1;
  for (;;) {
    if (at.minute >= 60) {
      const next = { ...at, hour: at.hour + 1, minute: 0 };
      const comesTwice = clock.instantByGo(next) - clock.instantByGo({ ...at, minute: 0 }) > hourMs;
      const again = shiftMs === 0 && comesTwice;
      shiftMs = again ? hourMs : 0;
      toHour(again ? at.hour : at.hour + 1);
    }
    carryDate(at);
    if (at.year > lastYear) return undefined;
    if (!fields.month.has(at.month)) {
      shiftMs = 0;
      Object.assign(toHour(0), { month: at.month + 1, day: 1 });
    } else if (!matchesDay(fields, at)) {
      shiftMs = 0;
      Object.assign(toHour(0), { day: at.day + 1 });
    } else if (!fields.hour.has(at.hour)) {
      shiftMs = 0;
      toHour(at.hour + 1);
    } else if (!fields.minute.has(at.minute)) at.minute += 1;
    else {
      const found = clock.instantByGo(at);
      if (clock.read(found).hour === at.hour) return found + shiftMs;
      toHour(at.hour + 1); // The clocks go past it.
    }
  }
}

/** The longest time between two firings that follow one another within some two years; at most 366 days. */
export function longestGapMs(fields: CronFields, timeZone: string, from: number): number {
  const clock = wallClock(timeZone);
  const times = [...fields.hour]
    .toSorted(ascending)
    .flatMap((hour) => [...fields.minute].toSorted(ascending).map((minute) => ({ hour, minute })));
  const minutes = times.map(({ hour, minute }) => hour * 60 + minute);
  const withinDay = Math.max(
    0,
    ...minutes.slice(1).map((minute, index) => (minute - (minutes[index] ?? minute)) * 60_000),
  );
  const today = clock.read(from);
  let longest = withinDay;
  let last: number | undefined;
  let days = 0;
  for (let offset = 0; offset < 800; offset += 1) {
    const date = new Date(Date.UTC(today.year, today.month - 1, today.day + offset));
    const day = { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
    if (!fields.month.has(day.month) || !matchesDay(fields, day)) continue;
    const first = firstOf(clock, day, times);
    if (first === undefined) continue; // The clocks go past all of them.
    if (last !== undefined) longest = Math.max(longest, first - last);
    last = firstOf(clock, day, times.toReversed());
    days += 1;
  }
  return days < 2 ? rareGapMs : Math.min(longest, rareGapMs);
}

const ascending = (a: number, b: number) => a - b;

function firstOf(
  clock: WallClock,
  day: Pick<WallTime, 'year' | 'month' | 'day'>,
  times: readonly Pick<WallTime, 'hour' | 'minute'>[],
): number | undefined {
  for (const time of times) {
    const instant = clock.instantByGo({ ...day, ...time });
    if (clock.read(instant).hour === time.hour) return instant;
  }
  return undefined;
}

const matchesDay = (
  { dayOfMonth, dayOfWeek }: CronFields,
  { year, month, day }: Pick<WallTime, 'year' | 'month' | 'day'>,
): boolean => dayOfMonth.has(day) && dayOfWeek.has(new Date(Date.UTC(year, month - 1, day)).getUTCDay());

function carryDate(at: WallTime): void {
  if (at.hour >= 24) Object.assign(at, { day: at.day + 1, hour: 0 });
  if (at.day > new Date(Date.UTC(at.year, at.month, 0)).getUTCDate())
    Object.assign(at, { month: at.month + 1, day: 1 });
  if (at.month > 12) Object.assign(at, { year: at.year + 1, month: 1 });
}
