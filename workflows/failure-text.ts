import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  ChildWorkflowFailure,
  TemporalFailure,
} from '@temporalio/workflow';

/** The innermost message of a failure: what a person needs to read. */
export function failureText(error: unknown): string {
  if ((error instanceof ActivityFailure || error instanceof ChildWorkflowFailure) && error.cause)
    return failureText(error.cause);
  if (error instanceof CancelledFailure) return 'cancelled';
  if (error instanceof ApplicationFailure || error instanceof TemporalFailure || error instanceof Error)
    return error.message;
  return String(error);
}

/** The code of the product's error table that a failure carries, where it does. */
export function failureCode(error: unknown): string | undefined {
  if ((error instanceof ActivityFailure || error instanceof ChildWorkflowFailure) && error.cause)
    return failureCode(error.cause);
  return error instanceof ApplicationFailure ? (error.type ?? undefined) : undefined;
}
