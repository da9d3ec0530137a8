import type { SteeringCommand } from '../../domain/workflow-inputs.js';

/** Says why the rollout goes back. */
export class GoBack extends Error {
  override readonly name = 'GoBack';
  constructor(
    readonly state: 'rolled-back' | 'aborted',
    message: string,
  ) {
    super(message);
  }
}

/** What people have commanded a rollout; carried over when it continues as new. */
export interface CommandEntries {
  paused: boolean;
  pausedBecause: string;
  /** Why the rollout is to go back; null while nobody asked. */
  aborted: string | null;
  /** Who aborted; null while nobody did. */
  abortedBy: string | null;
  advancing: boolean;
  advancedBy: string;
  /** Who let the rollout go on, in which words: the cause of the route that is written next. */
  movedBy: { actor: string; words: string } | null;
}

const noCommands: CommandEntries = {
  ...{ paused: false, pausedBecause: '', aborted: null, abortedBy: null },
  ...{ advancing: false, advancedBy: '', movedBy: null },
};

/** What people have commanded a rollout: accepted, and not yet done. The rollout reads it between its steps. */
export class RolloutCommands {
  readonly entries: CommandEntries;

  constructor(carried: CommandEntries = noCommands) {
    this.entries = { ...carried };
  }

  get paused(): boolean {
    return this.entries.paused;
  }

  get aborted(): boolean {
    return this.entries.aborted !== null;
  }

  get advancing(): boolean {
    return this.entries.advancing;
  }

  /** A person's wish stands against what the rollout is waiting for. */
  get wantsAttention(): boolean {
    return this.paused || this.advancing || this.aborted;
  }

  pauseBecause(reason: string): void {
    Object.assign(this.entries, { paused: true, pausedBecause: reason });
  }

  /** True once after somebody asked to advance. */
  takeAdvance(): boolean {
    const asked = this.entries.advancing;
    this.entries.advancing = false;
    if (asked) this.entries.paused = false;
    return asked;
  }

  /** Who caused the route that is written next; once. */
  takeMovedBy(): CommandEntries['movedBy'] {
    const moved = this.entries.movedBy;
    this.entries.movedBy = null;
    return moved;
  }

  /** @throws GoBack when somebody aborted. */
  checkAborted(): void {
    if (this.entries.aborted !== null) throw new GoBack('aborted', this.entries.aborted);
  }

  apply(
    command: SteeringCommand,
    { actor, reason }: { actor: string; reason: string },
    roles: readonly string[] | null,
  ): void {
    const why = reason ? `: ${reason}` : '';
    const who = `${actor}${roles && roles.length > 0 ? ` (${roles.join(', ')})` : ''}`;
    const { entries } = this;
    switch (command) {
      case 'pause':
        return this.pauseBecause(`paused by ${actor}${why}`);
      case 'resume':
        entries.paused = false;
        entries.movedBy = { actor, words: `resumed by ${who}${why}` };
        return;
      case 'advance':
        entries.advancing = true;
        entries.advancedBy = `${actor}${why}`;
        entries.movedBy = { actor, words: `advanced by ${who}${why}` };
        return;
      case 'abort':
        entries.aborted = `aborted by ${actor}${why}`;
        entries.abortedBy = actor;
        return;
      default:
        return command satisfies never;
    }
  }
}
