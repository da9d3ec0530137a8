import { z } from 'zod';

const isTimeZone = (name: string): boolean => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
};

/** The IANA name of a time zone. */
export const timeZoneSchema = z.string().refine(isTimeZone, 'must be an IANA time zone, for example America/New_York');
