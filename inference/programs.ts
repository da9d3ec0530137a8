import { fork, type ChildProcess, type ForkOptions } from 'node:child_process';

/**
 * Starts a program: from its source with tsx in a checkout, as it is in the built gateway, where all programs stand in
 * one folder. Its `exit` comes in any case: a process that could not even be started, for want of file descriptors,
 * memory or processes, has ended at once.
 *
 * @param source the program's source, as `new URL('./some-process.ts', import.meta.url)` of whoever starts it
 */
export function forkProgram(source: URL, { execArgv = [], ...options }: ForkOptions): ChildProcess {
  const { program, loaderArguments } = programOf(source);
  const child = fork(program, [], { ...options, execArgv: [...loaderArguments, ...execArgv] });
  child.on('error', () => {
    if (child.pid === undefined) child.emit('exit', child.exitCode, null);
  });
  return child;
}

/** The loader is resolved here: a process that starts in an empty folder could not. */
function programOf(source: URL): { program: URL; loaderArguments: string[] } {
  return import.meta.url.endsWith('.js')
    ? { program: new URL(source.href.replace(/\.ts$/, '.js')), loaderArguments: [] }
    : { program: source, loaderArguments: ['--import', import.meta.resolve('tsx')] };
}
