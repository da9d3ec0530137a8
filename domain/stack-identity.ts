/** Which stack a request is meant for. Requests without it are welcome: other programs need not know it. */
export interface StackIdentity {
  id: string;
  /** The state folder, for people. */
  home: string;
}

export const stackHeader = 'x-perdure-stack';

/** Stands for the id of a home that was never started: no stack has it. */
export const noStackId = 'none';

export const identityText = ({ id, home }: StackIdentity): string => `${id} ${encodeURI(home)}`;

/**
 * Why a request is not for the one that was asked; undefined where it is, where it does not say, and where the asked
 * one has no stack of its own.
 */
export function whyOtherStack(
  own: StackIdentity | undefined,
  header: string | string[] | undefined,
  asked: string,
): string | undefined {
  if (own === undefined || header === undefined) return undefined;
  const text = Array.isArray(header) ? (header[0] ?? '') : header;
  const [id = '', home = ''] = text.split(' ');
  if (id === own.id) return undefined;
  const theirs =
    home === ''
      ? 'another stack'
      : `the stack of ${readable(home)}${id === noStackId ? ', which was never started' : ''}`;
  return (
    `${asked} belongs to the stack of ${own.home}, but the request is for ${theirs}. ` +
    `Set PERDURE_HOME=${own.home} to use the first, or start the other with its own ports ` +
    '(PERDURE_API_PORT and others).'
  );
}

function readable(home: string): string {
  try {
    return decodeURI(home).slice(0, 300);
  } catch {
    return home.slice(0, 300);
  }
}
