import { fork, type ChildProcess, type ForkOptions } from 'node:child_process';

export interface ChildProgram<Send, Receive> {
  child: ChildProcess;
  send: (message: Send) => void;
  /** The next message that `pick` takes. @throws when the program ends instead. */
  next: <T>(pick: (message: Receive) => T | undefined) => Promise<T>;
  /** Ends it and waits until it is gone. */
  stop: () => Promise<void>;
}

/** Starts one of the bench's programs, run from its source like the product's. */
export function startProgram<Send extends object, Receive>(
  url: URL,
  name: string,
  options: ForkOptions = {},
): ChildProgram<Send, Receive> {
  const child = fork(url, [], {
    execArgv: ['--import', import.meta.resolve('tsx')],
    serialization: 'advanced',
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    ...options,
  });
  const exited = new Promise<string>((resolve) => {
    child.once('exit', (code, signal) => resolve(signal ?? `exit code ${code}`));
    child.once('error', (error) => resolve(error.message));
  });
  return {
    child,
    send: (message) => void child.send(message),
    next: (pick) =>
      new Promise((resolve, reject) => {
        const listen = (message: Receive) => {
          const picked = pick(message);
          if (picked === undefined) return;
          child.off('message', listen);
          resolve(picked);
        };
        child.on('message', listen);
        void exited.then((reason) => reject(new Error(`${name} ended: ${reason}`)));
      }),
    async stop() {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), 20_000);
      await exited;
      clearTimeout(force);
    },
  };
}
