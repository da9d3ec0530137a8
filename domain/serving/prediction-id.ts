/** What a prediction's id says. */
export interface PredictionId {
  /** When it was answered, to the millisecond. */
  at: Date;
  /** Of the gateway process that answered. */
  bootId: string;
  /** Which of that process's requests it was, from 1. */
  number: number;
  /** As labels name it: without the mark of a shadow's copy. */
  labelled: string;
}

const pattern = /^(p-([0-9a-z]{6,11})-([0-9a-f]{8})-([0-9a-z]{1,11})(?:\.\d{1,5})?)(?:~v\d{1,9})?$/;

/**
 * Undefined for what is no id. The parts are those that gateways put together: time, process and a number, then perhaps
 * a row and a shadow's version.
 */
export function parsePredictionId(text: string): PredictionId | undefined {
  const [, labelled, time, bootId, number] = pattern.exec(text) ?? [];
  if (labelled === undefined || time === undefined || bootId === undefined || number === undefined) return undefined;
  const at = new Date(Number.parseInt(time, 36));
  return Number.isNaN(at.getTime()) ? undefined : { at, bootId, number: Number.parseInt(number, 36), labelled };
}
