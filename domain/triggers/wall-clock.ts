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
}

/** The clocks of an IANA time zone, to the minute. */
export function wallClock(timeZone: string): WallClock {
  const format = new Intl.DateTimeFormat('en-US', {
    ...{ timeZone, calendar: 'iso8601', hourCycle: 'h23' },
    ...{ year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric' },
  });
  const read = (instant: number): WallTime => {
    const found = { year: 0, month: 0, day: 0, hour: 0, minute: 0 };
    for (const { type, value } of format.formatToParts(instant))
      if (type in found) Object.assign(found, { [type]: Number(value) });
    return found;
  };
  const asUtc = ({ year, month, day, hour, minute }: WallTime) => Date.UTC(year, month - 1, day, hour, minute);
  const offsetAt = (instant: number) => asUtc(read(instant)) - Math.floor(instant / 60_000) * 60_000;
  return {
    read,
    instant(time) {
      const local = asUtc(time);
      const guess = offsetAt(local);
      const offset = offsetAt(local - guess);
      return local - offset;
    },
  };
}
