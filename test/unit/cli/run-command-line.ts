import { runCli } from '../../../cli/run-cli.js';

/** Runs a command line in this process and gives back what it wrote. */
export async function runCommandLine(argv: string[], env: NodeJS.ProcessEnv = {}) {
  let stdout = '';
  let stderr = '';
  const code = await runCli(argv, env, {
    stdout: { write: (text) => (stdout += text) },
    stderr: { write: (text) => (stderr += text) },
  });
  return { code, stdout, stderr };
}
