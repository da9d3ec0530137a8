/**
 * What a process of the stack says to whoever supervises it (the embedded stack, systemd, Kubernetes), and how it ends
 * in order.
 */

/**
 * Set in the environment of a component of the embedded stack. It serves on when its supervisor dies: the next one
 * takes it over or ends it.
 */
export const componentVariable = 'PERDURE_COMPONENT';

type ShutdownStep = { name: string; run: () => Promise<void> | void };

// Output that goes to a full disk, or to a terminal that is gone, must not end the process that writes it.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);

const steps: ShutdownStep[] = [];
let ending: Promise<never> | undefined;
let listening = false;
let longestDeadlineMs = 0;

/** Says that the process now does its work. Without a supervisor's channel it only prepares for an orderly end. */
export function announceReady(): void {
  listen();
  tellSupervisor('ready');
}

/**
 * Registers a step of the orderly end, taken on SIGTERM, on SIGINT, and when a supervisor that is not a stack's has
 * died. Steps run one after another, the last registered first.
 * @param deadlineMs from the signal to a hard exit with code 1, for all steps together; the longest one asked for
 * counts.
 */
export function onShutdown(name: string, run: () => Promise<void> | void, deadlineMs = 10_000): void {
  steps.push({ name, run });
  longestDeadlineMs = Math.max(longestDeadlineMs, deadlineMs);
  listen();
}

/** Takes the registered steps now and exits: 0 when all succeeded, 1 otherwise. */
export function shutDown(reason: string): Promise<never> {
  ending ??= runSteps(reason);
  return ending;
}

function listen(): void {
  if (listening) return;
  listening = true;
  process.on('SIGTERM', () => void shutDown('SIGTERM'));
  process.on('SIGINT', () => void shutDown('SIGINT'));
  if (process.send) {
    if (!process.env[componentVariable]) process.on('disconnect', () => void shutDown('the supervisor has ended'));
    process.on('message', (message) => {
      if (typeof message === 'object' && message !== null && 'perdure' in message && message.perdure === 'ping') {
        tellSupervisor('alive');
      }
    });
  }
}

function tellSupervisor(word: 'ready' | 'alive'): void {
  // The channel may close at any moment; its end is noticed as 'disconnect', so a failed word needs no answer.
  if (process.connected) process.send?.({ perdure: word }, undefined, undefined, () => undefined);
}

async function runSteps(reason: string): Promise<never> {
  setTimeout(() => {
    process.stderr.write(`Ending on ${reason} took more than ${longestDeadlineMs / 1000} s. Exiting now.\n`);
    process.exit(1);
  }, longestDeadlineMs);
  let exitCode = 0;
  for (const step of [...steps].reverse()) {
    try {
      await step.run();
    } catch (error) {
      exitCode = 1;
      process.stderr.write(
        `Ending "${step.name}" failed: ` +
          `${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
      );
    }
  }
  process.exit(exitCode);
}
