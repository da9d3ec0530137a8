/** What a clock on a wall shows. Months begin with 1. */
export interface WallTime {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
}

export interface WallClock {
  read(instant: number): WallTime;
  /**
   * When it shows that. Of a time that comes twice the first; a time that is passed over is moved by as much as the
   * clocks are. An hour 24 is the next day's first.
   */
  instant(time: WallTime): number;
  /** The same as Go's `time.Date` picks it, by which Temporal's schedules fire: of a time that comes twice mostly the later. */
  instantByGo(time: WallTime): number;
}

const dayMs = 86_400_000;

/** The clocks of an IANA time zone. */
export function wallClock(timeZone: string): WallClock {
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone, calendar: 'iso8601', hourCycle: 'h23' },
    ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' },
  });
  const readSeconds = (instant: number) => {
    const found = { year: 0, month: 0, day: 0, hour: 0, minute: 0, second: 0 };
    for (const { type, value } of format.formatToParts(instant))
      if (type in found) Object.assign(found, { [type]: Number(value) });
    return found;
  };
  const asUtc = ({ year, month, day, hour, minute }: WallTime, second = 0) =>
    new Date(0).setUTCFullYear(year, month - 1, day) + ((hour * 60 + minute) * 60 + second) * 1000;
  const offsetAt = (instant: number) => {
    const { second, ...time } = readSeconds(instant);
    return asUtc(time, second) - Math.floor(instant / 1000) * 1000;
  };
  return {
    read(instant) {
      const { second: _, ...time } = readSeconds(instant);
      return time;
    },
    instant(time) {
      const local = asUtc(time);
      // The clocks change at most once in the two days about it: one of the two offsets is in force.
      const [before, after] = [local - offsetAt(local - dayMs), local - offsetAt(local + dayMs)];
      const real = [before, after].filter((instant) => instant + offsetAt(instant) === local);
      return real.length > 0 ? Math.min(...real) : before;
    },
    instantByGo(time) {
      const local = asUtc(time);
      const guess = offsetAt(local);
      return local - offsetAt(local - guess);
    },
  };
}
