import { setCurrentDetails, upsertSearchAttributes } from '@temporalio/workflow';
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

const keys = {
  model: defineSearchAttributeKey('PerdureModel', SearchAttributeType.KEYWORD),
  version: defineSearchAttributeKey('PerdureVersion', SearchAttributeType.KEYWORD),
  environment: defineSearchAttributeKey('PerdureEnvironment', SearchAttributeType.KEYWORD),
  cause: defineSearchAttributeKey('PerdureCause', SearchAttributeType.KEYWORD),
  outcome: defineSearchAttributeKey('PerdureOutcome', SearchAttributeType.KEYWORD),
} as const;

/** Marks a workflow so that the Temporal UI can list it by model, version, environment, cause and outcome. */
export function mark(attributes: Partial<Record<keyof typeof keys, string>>): void {
  upsertSearchAttributes(
    Object.entries(attributes).map(([name, value]) => ({ key: keys[name as keyof typeof keys], value })),
  );
}

/** Lines that are kept, of either kind: what people read is short, and what is carried over stays small. */
const linesMax = 20;

/** What a timeline has said; carried over when a workflow continues as new. */
export interface TimelineLines {
  done: string[];
  notes: string[];
}

/** What a workflow is doing, as a list of lines that the Temporal UI shows: done, doing, and what it waits for. */
export class Timeline {
  private done: string[];
  private notes: string[];
  private current: string | undefined;

  constructor(
    private readonly title: string,
    carried: TimelineLines = { done: [], notes: [] },
  ) {
    this.done = carried.done;
    this.notes = carried.notes;
  }

  get lines(): TimelineLines {
    return { done: this.done, notes: this.notes };
  }

  /** Says what goes on now. */
  doing(line: string): void {
    this.show(line);
  }

  /** Adds a finished step and shows it. */
  finished(line: string): void {
    this.done = [...this.done, line].slice(-linesMax);
    this.show();
  }

  /** Adds something that people must be able to read until the end, for example an answer to a refused signal. */
  note(line: string): void {
    this.notes = [...this.notes, line].slice(-linesMax);
    this.show(this.current);
  }

  private show(current?: string): void {
    this.current = current;
    const lines = [
      `### ${this.title}`,
      ...this.done.map((line) => `- ✓ ${line}`),
      ...(current ? [`- … ${current}`] : []),
      ...(this.notes.length > 0 ? ['', '#### Notes', ...this.notes.map((line) => `- ${line}`)] : []),
    ];
    setCurrentDetails(lines.join('\n'));
  }
}
