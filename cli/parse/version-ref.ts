import { PerdureError } from '../../domain/errors.js';
import { parseVersionRef } from '../../domain/ids.js';

/** `MODEL@N`. @throws PerdureError `input/invalid` when there is no version. */
export function requireVersionRef(text: string): { model: string; version: number } {
  const { model, version } = modelOrVersion(text);
  if (version !== undefined) return { model, version };
  throw new PerdureError(
    'input/invalid',
    `${JSON.stringify(text)} has no version: write ${model}@N. \`perdure versions ls ${model}\` lists them.`,
  );
}

/** `MODEL` or `MODEL@N`. @throws PerdureError `input/invalid`. */
export function modelOrVersion(text: string): { model: string; version: number | undefined } {
  const parsed = parseVersionRef(text);
  if (parsed) return parsed;
  throw new PerdureError(
    'input/invalid',
    `${JSON.stringify(text)} is not MODEL or MODEL@N, for example flight-delay@2.`,
  );
}

/** A model's name alone. @throws PerdureError `input/invalid`. */
export function requireModelName(text: string): string {
  const parsed = parseVersionRef(text);
  if (parsed && parsed.version === undefined) return parsed.model;
  throw new PerdureError(
    'input/invalid',
    `${JSON.stringify(text)} is not a model's name: lower-case letters, digits and dashes, for example flight-delay.`,
  );
}
