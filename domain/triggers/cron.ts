/**
 * What a cron expression of five fields asks for, by Temporal's rules: days must match both the day of the month and
 * the day of the week.
 */
export interface CronFields {
  minute: ReadonlySet<number>;
  hour: ReadonlySet<number>;
  dayOfMonth: ReadonlySet<number>;
  month: ReadonlySet<number>;
  /** 0 is Sunday. */
  dayOfWeek: ReadonlySet<number>;
}

interface Field {
  name: string;
  min: number;
  max: number;
  /** Full names in English, of which a beginning may be written. */
  names?: readonly string[];
  shortest?: number;
}

const months = [
  'january',
  'february',
  'march',
  'april',
  'may',
  'june',
  'july',
  'august',
  'september',
  'october',
  'november',
  'december',
];
const days = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

const minuteField: Field = { name: 'minute', min: 0, max: 59 };
const hourField: Field = { name: 'hour', min: 0, max: 23 };
const dayOfMonthField: Field = { name: 'day of month', min: 1, max: 31 };
const monthField: Field = { name: 'month', min: 1, max: 12, names: months, shortest: 3 };
/** Seven is Sunday too. */
const dayOfWeekField: Field = { name: 'day of week', min: 0, max: 7, names: days, shortest: 2 };

/** @throws an Error that names the field, what stands there and what may. */
export function parseCron(text: string): CronFields {
  const parts = text.trim().split(/\s+/);
  if (parts.length !== 5) throw new Error('it needs five fields: minute, hour, day of month, month, day of week');
  const [minute = '', hour = '', dayOfMonth = '', month = '', dayOfWeek = ''] = parts;
  const weekdays = valuesOf(dayOfWeek, dayOfWeekField);
  return {
    minute: valuesOf(minute, minuteField),
    hour: valuesOf(hour, hourField),
    dayOfMonth: valuesOf(dayOfMonth, dayOfMonthField),
    month: valuesOf(month, monthField),
    dayOfWeek: new Set([...weekdays].map((day) => day % 7)),
  };
}

function valuesOf(text: string, field: Field): Set<number> {
  const values = new Set<number>();
  for (const part of text.split(',')) {
    const [range = '', stepText, ...more] = part.split('/');
    const step = stepText === undefined ? 1 : wholeNumber(stepText);
    if (more.length > 0 || step === undefined || step < 1) throw wrong(text, part, field);
    const [start, end] = endsOf(text, range, field, stepText !== undefined);
    for (let value = start; value <= end; value += step) values.add(value);
  }
  return values;
}

/** A single value with a step goes on to the field's greatest. */
function endsOf(text: string, range: string, field: Field, hasStep: boolean): [start: number, end: number] {
  if (range === '*') return [field.min, field.max];
  const [first = '', last, ...more] = range.split('-');
  const start = valueOf(first, field);
  const end = last === undefined ? (hasStep ? field.max : start) : valueOf(last, field);
  if (more.length > 0 || start === undefined || end === undefined || end < start) throw wrong(text, range, field);
  return [start, end];
}

function valueOf(text: string, { min, max, names, shortest = 0 }: Field): number | undefined {
  const lower = text.toLowerCase();
  const named =
    names !== undefined && lower.length >= shortest ? names.findIndex((name) => name.startsWith(lower)) : -1;
  const value = named >= 0 ? named + min : wholeNumber(text);
  return value === undefined || value < min || value > max ? undefined : value;
}

const wholeNumber = (text: string): number | undefined => (/^\d{1,9}$/.test(text) ? Number(text) : undefined);

function wrong(text: string, part: string, { name, min, max, names }: Field): Error {
  const words = names === undefined ? '' : `, or names as ${names[1]?.slice(0, 3)}`;
  return new Error(
    `the ${name} ${JSON.stringify(text)} has ${JSON.stringify(part)}, which Temporal does not know: write ` +
      `numbers from ${min} to ${max}${words}, "*", ranges "a-b", steps "/n" and lists`,
  );
}
