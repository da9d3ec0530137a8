import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The commit that a checkout is at, with `+changes` where tracked files were changed; null outside of git. */
export async function codeRevision(folder: string): Promise<string | null> {
  try {
    const { stdout: commit } = await run('git', ['rev-parse', 'HEAD'], { cwd: folder });
    const { stdout: changes } = await run('git', ['status', '--porcelain', '--untracked-files=no'], { cwd: folder });
    return commit.trim() + (changes.trim() === '' ? '' : '+changes');
  } catch {
    return null;
  }
}
