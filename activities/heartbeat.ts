import { Context } from '@temporalio/activity';

/**
 * Heartbeats every second while `work` goes on, with whatever it last reported, and hands it the signal that cancels
 * it.
 */
export async function withHeartbeat<T>(
  work: (signal: AbortSignal, report: (progress: string) => void) => Promise<T>,
): Promise<T> {
  const context = Context.current();
  let latest = 'started';
  const timer = setInterval(() => context.heartbeat(latest), 1000);
  context.heartbeat(latest);
  try {
    return await work(context.cancellationSignal, (progress) => {
      latest = progress;
    });
  } finally {
    clearInterval(timer);
  }
}
