import pc from 'picocolors';

/** Prints what goes on and keeps how long each step took. */
export class Steps {
  readonly durationsMs: Record<string, number> = {};

  /** A step that ends early because of `interruption` has not failed, and is said to be interrupted. */
  constructor(private readonly interruption: AbortSignal) {}

  /**
   * Runs one step; its name is the key in the report, the text what people read. The step's result may say more by its
   * `line`.
   */
  async run<T>(name: string, text: string, work: (say: (line: string) => void) => Promise<T>): Promise<T> {
    const started = Date.now();
    process.stdout.write(`${pc.bold('▸')} ${text}\n`);
    try {
      const result = await work((line) => process.stdout.write(`    ${line}\n`));
      const tookMs = Date.now() - started;
      this.durationsMs[name] = (this.durationsMs[name] ?? 0) + tookMs;
      process.stdout.write(`  ${pc.green('✓')} ${name} ${pc.dim(`${(tookMs / 1000).toFixed(1)} s`)}\n`);
      return result;
    } catch (error) {
      const end = this.interruption.aborted ? `${pc.yellow('!')} ${name} interrupted` : `${pc.red('✗')} ${name} failed`;
      process.stdout.write(`  ${end} after ${((Date.now() - started) / 1000).toFixed(1)} s\n`);
      throw error;
    }
  }
}
