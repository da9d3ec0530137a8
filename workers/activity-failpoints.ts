import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Context } from '@temporalio/activity';
import type { ActivityInterceptorsFactory } from '@temporalio/worker';
import { z } from 'zod';

/** What `<folder>/<name>.hold.json` says: which activity is to wait, and where. */
export const holdSchema = z.strictObject({
  /** The activity's name, for example `writeRoute`. */
  activity: z.string().min(1),
  /** `before`: nothing of it has happened yet; `after`: it has happened, and Temporal has not been told. */
  moment: z.enum(['before', 'after']),
  /** Text that the JSON of the activity's input must contain; left out, any input will do. */
  input: z.string().min(1).optional(),
});
export type Hold = z.infer<typeof holdSchema>;

/** What `<folder>/<name>.held.json` says once an activity waits there. */
export interface HeldActivity {
  activity: string;
  workflowId: string;
  attempt: number;
  /** Of the worker. */
  pid: number;
}

const suffix = '.hold.json';
const pollMs = 20;
/** A drill that was forgotten stops nothing for ever. */
const heldAtMostMs = 60_000;

/**
 * For drills and fault tests: activities wait just before or just after their effect while a file in the folder asks
 * for it, so that a process can be killed or paused at exactly that moment. A hold ends when its file is gone, when the
 * activity is cancelled, or after a minute. Only a worker that was started with PERDURE_HOLD_FOLDER has it.
 * @throws an Error when the folder cannot be used.
 */
export function activityFailpoints(folder: string): ActivityInterceptorsFactory {
  if (!path.isAbsolute(folder))
    throw new Error(`PERDURE_HOLD_FOLDER must be an absolute path, not ${folder}. Unset it outside of drills.`);
  mkdirSync(folder, { recursive: true });
  if (!statSync(folder).isDirectory())
    throw new Error(`PERDURE_HOLD_FOLDER: ${folder} is not a folder. Unset it outside of drills.`);
  return () => ({
    inbound: {
      async execute(input, next) {
        await wait(folder, 'before', input.args);
        const result: unknown = await next(input);
        await wait(folder, 'after', input.args);
        return result;
      },
    },
  });
}

async function wait(folder: string, moment: Hold['moment'], args: readonly unknown[]): Promise<void> {
  const { info, cancellationSignal } = Context.current();
  const input = JSON.stringify(args);
  const asks = (hold: Hold | undefined) =>
    hold?.activity === info.activityType &&
    hold.moment === moment &&
    (hold.input === undefined || input.includes(hold.input));
  const until = Date.now() + heldAtMostMs;
  for (const file of readdirSync(folder).filter((name) => name.endsWith(suffix))) {
    const place = path.join(folder, file);
    if (!asks(holdIn(place))) continue;
    const held: HeldActivity = {
      activity: info.activityType,
      workflowId: info.workflowExecution?.workflowId ?? '',
      attempt: info.attempt,
      pid: process.pid,
    };
    writeFileSync(path.join(folder, file.replace(suffix, '.held.json')), JSON.stringify(held));
    while (asks(holdIn(place)) && Date.now() < until && !cancellationSignal.aborted) {
      Context.current().heartbeat();
      await delay(pollMs);
    }
    // What goes on unasked is said to be held no more: whoever waits for it does not strike too late.
    if (asks(holdIn(place))) forget(path.join(folder, file.replace(suffix, '.held.json')), held);
  }
}

/** Unless another attempt waits there meanwhile. */
function forget(place: string, held: HeldActivity): void {
  try {
    if (readFileSync(place, 'utf8') === JSON.stringify(held)) rmSync(place, { force: true });
  } catch {
    // It is gone.
  }
}

/** Undefined when the file is gone, or is not yet whole. */
function holdIn(place: string): Hold | undefined {
  try {
    return holdSchema.parse(JSON.parse(readFileSync(place, 'utf8')));
  } catch {
    return undefined;
  }
}
