import { fork, type ChildProcess, type ForkOptions } from 'node:child_process';

export type ProgramName = 'inference-process' | 'passport-process' | 'shipper-process';

/**
 * Starts a program that stands beside this file: from its source with tsx in a checkout, as it is in the built gateway,
 * where all programs stand in one folder. Its `exit` comes in any case: a process that could not even be started, for
 * want of file descriptors, memory or processes, has ended at once.
 */
export function forkProgram(name: ProgramName, { execArgv = [], ...options }: ForkOptions): ChildProcess {
  const { program, loaderArguments } = programOf(name);
  const child = fork(program, [], { ...options, execArgv: [...loaderArguments, ...execArgv] });
  child.on('error', () => {
    if (child.pid === undefined) child.emit('exit', child.exitCode, null);
  });
  return child;
}

/** Resolved here: a process that starts in an empty folder could not. */
function programOf(name: ProgramName): { program: URL; loaderArguments: string[] } {
  const isBuilt = import.meta.url.endsWith('.js');
  return {
    program: new URL(`./${name}${isBuilt ? '.js' : '.ts'}`, import.meta.url),
    loaderArguments: isBuilt ? [] : ['--import', import.meta.resolve('tsx')],
  };
}
