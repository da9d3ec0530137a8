import {
  ActivityFailure,
  ApplicationFailure,
  ChildWorkflowFailure,
  type WorkflowInterceptorsFactory,
} from '@temporalio/workflow';

/**
 * A workflow that fails because an activity did says so in the activity's own words, not with "Activity task failed".
 */
export const interceptors: WorkflowInterceptorsFactory = () => ({
  inbound: [
    {
      async execute(input, next) {
        try {
          return await next(input);
        } catch (error) {
          let cause: unknown = error;
          while ((cause instanceof ActivityFailure || cause instanceof ChildWorkflowFailure) && cause.cause)
            cause = cause.cause;
          if (cause === error || !(cause instanceof ApplicationFailure)) throw error;
          throw ApplicationFailure.create({
            message: cause.message,
            nonRetryable: true,
            cause,
            ...(cause.type ? { type: cause.type } : {}),
          });
        }
      },
    },
  ],
});
