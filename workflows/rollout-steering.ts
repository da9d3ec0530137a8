import { CancellationScope, condition, setHandler } from '@temporalio/workflow';
import type { Steering, SteeringCommand } from '../domain/requests.js';
import { abortSignal, advanceSignal, pauseSignal, resumeSignal, steerRolloutUpdate, type SteeringAnswer } from './messages.js';
import type { Timeline } from './timeline.js';

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

/** What people say to a rollout while it runs. Handlers only note it; the rollout looks at every turn. */
export class RolloutSteering {
  paused = false;
  pausedBecause = '';
  /** Why the rollout is to go back; null while nobody asked. */
  aborted: string | null = null;
  advancing = false;
  advancedBy = '';
  private closedBecause: string | null = null;
  private timeline: Timeline | undefined;

  constructor() {
    setHandler(steerRolloutUpdate, ({ command, ...said }) => this.steer(command, said));
    const commands = [
      [pauseSignal, 'pause'],
      [resumeSignal, 'resume'],
      [advanceSignal, 'advance'],
      [abortSignal, 'abort'],
    ] as const;
    for (const [signal, command] of commands) setHandler(signal, (said) => void this.steer(command, said ?? {}));
  }

  attach(timeline: Timeline): void {
    this.timeline = timeline;
  }

  /** A person's wish stands against what the rollout is waiting for. */
  get wantsAttention(): boolean {
    return this.paused || this.advancing || this.aborted !== null;
  }

  pauseBecause(reason: string): void {
    this.paused = true;
    this.pausedBecause = reason;
  }

  /** True once after somebody asked to advance. */
  takeAdvance(): boolean {
    const asked = this.advancing;
    this.advancing = false;
    if (asked) this.paused = false;
    return asked;
  }

  /** @throws GoBack when somebody aborted. */
  checkAborted(): void {
    if (this.aborted !== null) throw new GoBack('aborted', this.aborted);
  }

  /** Waits for something, but no longer than until somebody aborts. @throws GoBack then. */
  async untilAborted<T>(wait: () => Promise<T>): Promise<T> {
    const scope = new CancellationScope();
    const waiting = scope.run(wait);
    await Promise.race([waiting.catch(() => undefined), condition(() => this.aborted !== null)]);
    if (this.aborted !== null) {
      scope.cancel();
      await waiting.catch(() => undefined);
    }
    this.checkAborted();
    return waiting;
  }

  close(because: string): void {
    this.closedBecause = because;
  }

  private steer(command: SteeringCommand, said: Partial<Steering>): SteeringAnswer {
    const who = said.actor ?? 'unknown';
    const why = said.reason ? `: ${said.reason}` : '';
    const answer = this.apply(command, who, why);
    this.timeline?.note(`${who}: ${command}${why} — ${answer.accepted ? 'accepted' : `not accepted: ${answer.reason}`}`);
    return answer;
  }

  private apply(command: SteeringCommand, who: string, why: string): SteeringAnswer {
    if (this.closedBecause !== null) return { accepted: false, reason: this.closedBecause };
    if (this.aborted !== null) return { accepted: false, reason: 'the rollout is going back already' };
    switch (command) {
      case 'pause':
        this.pauseBecause(`paused by ${who}${why}`);
        return { accepted: true, reason: 'paused; the split stays as it is' };
      case 'resume':
        if (!this.paused) return { accepted: false, reason: 'the rollout is not paused' };
        this.paused = false;
        return { accepted: true, reason: 'resumed' };
      case 'advance':
        this.advancing = true;
        this.advancedBy = `${who}${why}`;
        return { accepted: true, reason: 'goes on to the next step' };
      case 'abort':
        this.aborted = `aborted by ${who}${why}`;
        return { accepted: true, reason: 'goes back to the champion' };
      default:
        return { accepted: false, reason: 'command: must be pause, resume, advance or abort' };
    }
  }
}
