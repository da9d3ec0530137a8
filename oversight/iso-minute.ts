export const isoMinute = (time: Date): string => `${time.toISOString().slice(0, 16)}Z`;
