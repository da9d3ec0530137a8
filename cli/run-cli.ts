import { CommanderError } from 'commander';
import { createContext } from './context.js';
import { exitCodeOf, explainError, Interrupted } from './exit-code.js';
import { createOutput, type OutputStreams } from './output.js';
import { groupsOf } from './command-groups.js';
import { buildProgram } from './program.js';

/** Runs one command line; resolves to the exit code. Never throws, and leaves ending the process to the caller. */
export async function runCli(
  argv: readonly string[],
  env: NodeJS.ProcessEnv = process.env,
  streams: OutputStreams = process,
): Promise<number> {
  const output = createOutput(streams, { json: argv.includes('--json'), env });
  const interrupt = new AbortController();
  const onSignal = () => {
    if (interrupt.signal.aborted) process.exit(130); // Asked twice: at once.
    interrupt.abort(new Interrupted());
  };
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal).on('SIGHUP', onSignal);
  const context = createContext({ env, output, signal: interrupt.signal });
  try {
    await buildProgram(context, await groupsOf(argv)).parseAsync([...argv], { from: 'user' });
    return context.exitCode;
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0;
      output.usageError(error.message.replace(/^error: /, '')); // Commander has told people why.
      return 2;
    }
    output.error(error);
    if (env.PERDURE_DEBUG) streams.stderr.write(`${explainError(error)}\n`);
    return exitCodeOf(error);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal).off('SIGHUP', onSignal);
    await context.close();
  }
}
