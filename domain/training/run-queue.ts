import { groupBy } from '../group-by.js';
import { urgencyAfter } from './run-priority.js';
import type { RunStep } from './run.js';

/** A run that has not ended, with the steps that have begun. */
export interface OpenRun {
  runId: string;
  workflowId: string;
  model: string;
  priority: number;
  startedAt: Date;
  /** Null while it waits for other runs of its model. */
  admittedAt: Date | null;
  steps: readonly { step: string; finishedAt: Date | null }[];
}

/** `model`: other runs of its model go first; else a slot of the workers that take data, or trainers. */
export const waitKinds = ['model', 'data', 'training'] as const;
export type WaitKind = (typeof waitKinds)[number];

export interface RunWait {
  for: WaitKind;
  since: Date;
  /** 1 goes next. Among what waits for the same; models take turns where they are of one priority, so it may change. */
  place: number;
  of: number;
}

/** What takes a slot of its own, in the order of a run, and the worker that it is a slot of. */
const slotted: readonly [RunStep, Exclude<WaitKind, 'model'>][] = [
  ['snapshot', 'data'],
  ['train', 'training'],
  ['evaluate', 'data'],
];

/** What each open run waits for; runs that go on are left out. */
export function runQueue(open: readonly OpenRun[], now: Date): Map<string, RunWait> {
  const waits = open.flatMap((run) => {
    const wait = waitOf(run);
    return wait ? [{ run, ...wait }] : [];
  });
  const lines = groupBy(waits, ({ run, for: kind }) => (kind === 'model' ? `model ${run.model}` : kind));
  const places = new Map<string, RunWait>();
  for (const line of lines.values()) {
    const urgency = ({ run }: (typeof line)[number]) =>
      urgencyAfter(run.priority, now.getTime() - run.startedAt.getTime());
    line.sort((a, b) => urgency(a) - urgency(b) || a.since.getTime() - b.since.getTime());
    for (const [index, { run, for: kind, since }] of line.entries())
      places.set(run.runId, { for: kind, since, place: index + 1, of: line.length });
  }
  return places;
}

/** The step of a run that has a worker's slot now; undefined while it waits, and in its lighter steps. */
export function stepInSlot({ steps }: OpenRun): Exclude<WaitKind, 'model'> | undefined {
  const going = steps.find(({ finishedAt }) => finishedAt === null)?.step;
  return slotted.find(([step]) => step === going)?.[1];
}

function waitOf({ steps, startedAt, admittedAt }: OpenRun): Pick<RunWait, 'for' | 'since'> | undefined {
  if (admittedAt === null) return { for: 'model', since: startedAt };
  let since = admittedAt;
  for (const [step, kind] of slotted) {
    const begun = steps.find((one) => one.step === step);
    if (!begun) return { for: kind, since };
    if (begun.finishedAt === null) return undefined;
    since = begun.finishedAt;
  }
  return undefined;
}
