import type { Reporter, TestModule } from 'vitest/node';
import { whereTimeGoes, type FileTime } from './where-time-goes.js';

/** Below so many files nobody asks where the time went. */
const tableFrom = 10;

/**
 * Ends a run with where its time went, and with one plain line that people and machines read alike; a file that could
 * not be loaded counts as one failure.
 */
export default class SummaryReporter implements Reporter {
  private readonly began = new Map<string, number>();
  private readonly times: FileTime[] = [];

  onTestModuleQueued({ id }: TestModule): void {
    this.began.set(id, Date.now());
  }

  onTestModuleEnd({ id, project, relativeModuleId }: TestModule): void {
    const endedMs = Date.now();
    this.times.push({
      project: project.name,
      file: relativeModuleId,
      beganMs: this.began.get(id) ?? endedMs,
      endedMs,
    });
  }

  onTestRunEnd(modules: readonly TestModule[], unhandledErrors: readonly unknown[]): void {
    const counts = { passed: 0, failed: unhandledErrors.length, skipped: 0 };
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'passed' || state === 'failed') counts[state] += 1;
        else counts.skipped += 1;
      }
      counts.failed += module.errors().length;
      for (const suite of module.children.allSuites()) counts.failed += suite.errors().length;
    }
    // The default reporter writes its own summary in the same turn: ours comes after everything else.
    const spent = this.times.length < tableFrom ? [] : ['', ...whereTimeGoes(this.times)];
    const summary = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`;
    process.once('exit', () => process.stdout.write(`${[...spent, '', summary].join('\n')}\n`));
  }
}
