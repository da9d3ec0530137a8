import { fork, type ChildProcess, type ForkOptions } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

/**
 * Starts a program: its source with tsx in a checkout, or what was built of it, all in one folder. Its `exit` comes in
 * any case: a process that could not even be started, for want of file descriptors, memory or processes, has ended at
 * once.
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

/**
 * From a process that runs from its sources, a program is started from them too, unless the stack says where the built
 * ones stand, which take a third of the time and processor to start. The loader is resolved here: a process that starts
 * in an empty folder could not.
 */
function programOf(source: URL): { program: URL; loaderArguments: string[] } {
  if (import.meta.url.endsWith('.js'))
    return { program: new URL(source.href.replace(/\.ts$/, '.js')), loaderArguments: [] };
  const builtPrograms = process.env['PERDURE_BUILT_PROGRAMS'];
  if (builtPrograms) {
    const program = pathToFileURL(path.join(builtPrograms, `${path.basename(source.pathname, '.ts')}.js`));
    if (existsSync(program)) return { program, loaderArguments: [] };
  }
  return { program: source, loaderArguments: ['--import', import.meta.resolve('tsx')] };
}
