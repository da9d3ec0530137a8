import pc from 'picocolors';
import { PerdureError, messageOf } from '../domain/errors.js';

export interface OutputStreams {
  stdout: { write(text: string): unknown; isTTY?: boolean };
  stderr: { write(text: string): unknown; isTTY?: boolean };
}

export type Output = ReturnType<typeof createOutput>;

/**
 * Where a command's results, progress and errors go. With `json`, standard output gets one JSON document and nothing
 * else.
 */
export function createOutput(streams: OutputStreams, { json, env }: { json: boolean; env: NodeJS.ProcessEnv }) {
  const wantsColours = (stream: { isTTY?: boolean }) =>
    !json && stream.isTTY === true && !env.NO_COLOR && env.TERM !== 'dumb';
  const colours = pc.createColors(wantsColours(streams.stdout));
  const errorColours = pc.createColors(wantsColours(streams.stderr));
  const document = (error: { code: string; message: string; details: Record<string, unknown> }) => {
    if (json) streams.stdout.write(`${JSON.stringify({ error }, null, 2)}\n`);
  };
  return {
    json,
    colours,
    /** The result: `value` as JSON, or the text for people. */
    result(value: unknown, text: string | (() => string)): void {
      if (json) streams.stdout.write(`${JSON.stringify(value, null, 2)}\n`);
      else streams.stdout.write(`${(typeof text === 'string' ? text : text()).trimEnd()}\n`);
    },
    /** Text as it is, for help. */
    write(text: string): void {
      streams.stdout.write(text);
    },
    progressText(text: string): void {
      streams.stderr.write(text);
    },
    /** What is going on; never part of the result. */
    progress(line: string): void {
      streams.stderr.write(`${line}\n`);
    },
    hint(line: string): void {
      if (!json) streams.stderr.write(`${errorColours.dim(line)}\n`);
    },
    error(error: unknown): void {
      const message = messageOf(error);
      streams.stderr.write(`${errorColours.red('error')}: ${message}\n`);
      const known = error instanceof PerdureError;
      document({
        code: known
          ? error.code
          : error instanceof Error && error.name === 'Interrupted'
            ? 'interrupted'
            : 'unexpected',
        message,
        details: known ? error.details : {},
      });
    },
    usageError(message: string): void {
      document({ code: 'input/invalid', message, details: {} });
    },
  };
}
