import pc from 'picocolors';
import { connectTemporal } from '../client/connect.js';
import { PerdureError, errorTraits, messageOf } from '../domain/errors.js';
import { loadPerdureConfig } from '../perdure.config.js';
import { loadTemporalConfig } from '../temporal.config.js';
import { printProgress, printWhereToLook } from './embedded/print-progress.js';
import { startStack } from './embedded/stack.js';
import { readStackFile } from './embedded/stack-file.js';
import { currentSupervisor } from './embedded/supervision/supervisor-lock.js';
import { surviveShortages } from './embedded/supervision/supervisor-log.js';
import { runMainJob } from './main-job/main-job.js';
import { printSummary } from './main-job/print-summary.js';
import { writeMainJobReport } from './main-job/report.js';
import { Steps } from './main-job/steps.js';

const usage = `npm start [-- --unattended]

  Starts the stack, runs the main job on New York's flights of 2013, and stays up until Ctrl-C.
  --unattended   approve by itself, write .perdure/main-job.json, stop the stack and exit 0
`;

interface Stack {
  config: ReturnType<typeof loadPerdureConfig>;
  addresses: { api: string; gateways: Record<string, string>; temporalUi: string | undefined };
  env: Record<string, string>;
  /** Absent for a stack that somebody else holds. */
  stop?: () => Promise<void>;
}

/** A stack of our own; one that `perdure up` holds is used and left running. */
async function stackToUse(signal: AbortSignal): Promise<Stack> {
  const config = loadPerdureConfig();
  const running = currentSupervisor(config.home) && readStackFile(config.home);
  if (running) {
    process.stdout.write('The stack is already running; it is used and left running.\n');
    const { temporalUi, ...rest } = running.addresses;
    return { config, addresses: { ...rest, temporalUi }, env: running.env };
  }
  const stack = await startStack({ onProgress: printProgress, signal });
  printWhereToLook(stack);
  return stack;
}

async function main(): Promise<number> {
  const unknown = process.argv.slice(2).filter((argument) => argument !== '--unattended');
  if (unknown.length > 0) {
    process.stderr.write(unknown.includes('--help') ? usage : `unknown argument ${unknown[0]}\n${usage}`);
    return unknown.includes('--help') ? 0 : 2;
  }
  const unattended = process.argv.includes('--unattended');
  surviveShortages();
  const startedAt = new Date().toISOString();
  const interruption = new AbortController();
  const interrupted = new Promise<void>((resolve) => interruption.signal.addEventListener('abort', () => resolve()));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (!interruption.signal.aborted)
        process.stdout.write(`\n${pc.bold('Stopping')} … the next npm start ` + `continues from here\n`);
      interruption.abort();
    });
  }

  const steps = new Steps(interruption.signal);
  let stack: Stack | undefined;
  try {
    stack = await steps.run('setup', 'starting PostgreSQL, Temporal, S3, control API, workers and gateways', () =>
      stackToUse(interruption.signal),
    );
    // Never closed: an interrupted job still asks over it, and asking over a closed connection would end this process
    // before the stack.
    const temporal = await connectTemporal(loadTemporalConfig({ ...process.env, ...stack.env }));
    const job = runMainJob({ ...stack, temporal, steps, startedAt, unattended, signal: interruption.signal });
    const report = await Promise.race([job, interrupted.then(() => undefined)]);
    if (!report) {
      job.catch(() => undefined);
      return 130;
    }
    printSummary(report);
    process.stdout.write(`Report: ${await writeMainJobReport(stack.config.home, report)}\n`);
    if (unattended) return 0;
    process.stdout.write('\nEverything stays up. Ctrl-C stops it; the next start continues from here.\n');
    await interrupted;
    return 0;
  } catch (error) {
    if (interruption.signal.aborted) return 130;
    throw error;
  } finally {
    const stop = stack?.stop;
    if (stop) await steps.run('stop', 'stopping', stop);
  }
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${pc.red('error')} ${messageOf(error)}\n`);
    if (!(error instanceof PerdureError) && error instanceof Error) process.stderr.write(`${error.stack ?? ''}\n`);
    process.exit(error instanceof PerdureError ? errorTraits(error.code).exitCode : 1);
  },
);
