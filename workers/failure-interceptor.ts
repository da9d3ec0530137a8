import { ApplicationFailure } from '@temporalio/common';
import { DrizzleQueryError } from 'drizzle-orm';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { PerdureError } from '../domain/errors.js';

/**
 * Tells Temporal what kind of failure an error is: its code from the product's table, and whether trying again can
 * help.
 */
export const failureInterceptor: ActivityInterceptorsFactory = () => ({
  inbound: {
    async execute(input, next) {
      try {
        return await next(input);
      } catch (error) {
        if (error instanceof DrizzleQueryError) {
          // The query text and its values belong in no history; what the server said is enough.
          throw ApplicationFailure.retryable(
            `the database refused a statement: ${error.cause?.message ?? 'no reason given'}`,
            'database',
          );
        }
        if (!(error instanceof PerdureError)) throw error;
        const { retryAfterMs } = error.details;
        throw ApplicationFailure.create({
          message: error.message,
          type: error.code,
          nonRetryable: !error.retryable,
          details: [error.details],
          cause: error,
          // Who waits says when to ask again; the retry policy says it of all others.
          ...(typeof retryAfterMs === 'number' && { nextRetryDelay: retryAfterMs }),
        });
      }
    },
  },
});
