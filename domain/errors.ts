/**
 * One table of everything that can go wrong for a reason that a caller can act on. `docs/errors.md` mirrors it; a test
 * compares the two.
 */
const errorTable = {
  'access/denied': { retryable: false, httpStatus: 403, exitCode: 4 },
  'artifact/digest-mismatch': { retryable: false, httpStatus: 500, exitCode: 1 },
  'artifact/refused': { retryable: false, httpStatus: 422, exitCode: 3 },
  'caller/left': { retryable: false, httpStatus: 499, exitCode: 1 },
  'caller/timed-out': { retryable: true, httpStatus: 504, exitCode: 1 },
  'data/changing': { retryable: true, httpStatus: 409, exitCode: 1 },
  'data/invalid': { retryable: false, httpStatus: 422, exitCode: 3 },
  'data/missing': { retryable: false, httpStatus: 404, exitCode: 6 },
  'data/unreadable': { retryable: false, httpStatus: 422, exitCode: 3 },
  'definition/invalid': { retryable: false, httpStatus: 422, exitCode: 2 },
  'definition/unknown': { retryable: false, httpStatus: 404, exitCode: 6 },
  'environment/broken': { retryable: false, httpStatus: 500, exitCode: 7 },
  'evaluation/failed': { retryable: true, httpStatus: 500, exitCode: 1 },
  'evaluation/timed-out': { retryable: false, httpStatus: 500, exitCode: 1 },
  'expression/limit-exceeded': { retryable: false, httpStatus: 422, exitCode: 3 },
  'gate/not-passed': { retryable: false, httpStatus: 422, exitCode: 3 },
  'host/unknown': { retryable: false, httpStatus: 421, exitCode: 7 },
  'input/invalid': { retryable: false, httpStatus: 400, exitCode: 2 },
  'input/too-large': { retryable: false, httpStatus: 413, exitCode: 2 },
  'input/unsupported': { retryable: false, httpStatus: 415, exitCode: 2 },
  'lease/held': { retryable: true, httpStatus: 409, exitCode: 1 },
  'lease/lost': { retryable: false, httpStatus: 409, exitCode: 1 },
  'model/unknown': { retryable: false, httpStatus: 404, exitCode: 6 },
  'not-found': { retryable: false, httpStatus: 404, exitCode: 6 },
  overloaded: { retryable: true, httpStatus: 429, exitCode: 1 },
  'promotion/closed': { retryable: false, httpStatus: 409, exitCode: 4 },
  'promotion/not-approved': { retryable: false, httpStatus: 409, exitCode: 4 },
  'promotion/refused': { retryable: false, httpStatus: 409, exitCode: 3 },
  'promotion/stale': { retryable: false, httpStatus: 409, exitCode: 4 },
  'rollout/refused': { retryable: false, httpStatus: 409, exitCode: 3 },
  'rollout/rolled-back': { retryable: false, httpStatus: 409, exitCode: 5 },
  'server/unreachable': { retryable: true, httpStatus: 503, exitCode: 7 },
  'serving/failed': { retryable: true, httpStatus: 500, exitCode: 1 },
  'serving/out-of-service': { retryable: true, httpStatus: 503, exitCode: 1 },
  'serving/overloaded': { retryable: true, httpStatus: 503, exitCode: 1 },
  'serving/timed-out': { retryable: true, httpStatus: 504, exitCode: 1 },
  'state/conflict': { retryable: false, httpStatus: 409, exitCode: 1 },
  'training/failed': { retryable: false, httpStatus: 500, exitCode: 1 },
  'training/out-of-memory': { retryable: false, httpStatus: 500, exitCode: 1 },
  'training/timed-out': { retryable: false, httpStatus: 500, exitCode: 1 },
  'workflow/stuck': { retryable: false, httpStatus: 503, exitCode: 7 },
} as const;

export type ErrorCode = keyof typeof errorTable;
export const errorCodes = Object.keys(errorTable) as ErrorCode[];

export interface ErrorTraits {
  retryable: boolean;
  httpStatus: number;
  exitCode: number;
}

export function errorTraits(code: ErrorCode): ErrorTraits {
  return errorTable[code];
}

/** The one error type of the product. The message says what was wrong, where, and what to do next. */
export class PerdureError extends Error {
  override readonly name = 'PerdureError';
  constructor(
    readonly code: ErrorCode,
    message: string,
    /** Small plain JSON for machines: ids, field paths, counts. */
    readonly details: Record<string, unknown> = {},
  ) {
    super(message);
  }
  get retryable(): boolean {
    return errorTable[this.code].retryable;
  }
}

/** What was thrown says of itself, whatever it is. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}
