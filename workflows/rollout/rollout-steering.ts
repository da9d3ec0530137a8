import { CancellationScope, condition, patched, setHandler, workflowInfo } from '@temporalio/workflow';
import type { SteeringCommand } from '../../domain/requests.js';
import { saidProblem, shownSaid } from '../../domain/said.js';
import { isTowardsSafety } from '../../domain/rollout/steering.js';
import { quickActivities } from '../activity-profiles.js';
import { failureText } from '../failure-text.js';
import {
  abortSignal,
  advanceSignal,
  pauseSignal,
  resumeSignal,
  steerRolloutUpdate,
  type SteeringAnswer,
} from '../messages.js';
import type { Timeline } from '../timeline.js';

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

const commands: readonly SteeringCommand[] = ['pause', 'resume', 'advance', 'abort'];
const textRules = { command: { max: 20 }, actor: { max: 200 }, reason: { max: 1000 }, signature: { max: 400 } };
const answers: Readonly<Record<SteeringCommand, string>> = {
  pause: 'paused; the split stays as it is',
  resume: 'resumed',
  advance: 'goes on to the next step',
  abort: 'goes back to the champion',
};

interface Said {
  actor: string;
  reason: string;
  signature: string | null;
}

/**
 * What people say to a rollout while it runs. What leads back or keeps what is takes effect at once; what moves traffic
 * waits until an activity has ruled on it. Everything is written down, what was not understood too. The rollout looks
 * at every turn.
 */
export class RolloutSteering {
  paused = false;
  pausedBecause = '';
  /** Why the rollout is to go back; null while nobody asked. */
  aborted: string | null = null;
  /** Who aborted; null while nobody did. */
  abortedBy: string | null = null;
  advancing = false;
  advancedBy = '';
  /** Who let the rollout go on, in which words: the cause of the route that is written next. */
  movedBy: { actor: string; words: string } | null = null;
  private closedBecause: string | null = null;
  private timeline: Timeline | undefined;
  private sequence = 0;

  constructor(
    private readonly rolloutId: string,
    private readonly stage: () => number,
  ) {
    setHandler(steerRolloutUpdate, (message: unknown) => {
      const said =
        message !== null && typeof message === 'object' && 'command' in message ? message.command : undefined;
      return this.hear(
        commands.find((command) => command === said),
        message,
        'update',
      );
    });
    const signals = [
      [pauseSignal, 'pause'],
      [resumeSignal, 'resume'],
      [advanceSignal, 'advance'],
      [abortSignal, 'abort'],
    ] as const;
    for (const [signal, command] of signals)
      setHandler(signal, async (said: unknown) => void (await this.hear(command, said ?? {}, 'signal')));
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

  /** Who caused the route that is written next; once. */
  takeMovedBy(): { actor: string; words: string } | null {
    const moved = this.movedBy;
    this.movedBy = null;
    return moved;
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

  /** Answers a command, whatever was sent: what has another shape changes nothing. */
  private async hear(
    command: SteeringCommand | undefined,
    message: unknown,
    via: 'update' | 'signal',
  ): Promise<SteeringAnswer> {
    if (command === undefined) return { accepted: false, reason: `command: must be ${commands.join(', ')}` };
    const problem = saidProblem(message, textRules);
    const given = problem === null ? (message as Partial<Said>) : {};
    const said: Said = {
      actor: problem === null ? given.actor?.trim() || 'unknown' : 'unreadable',
      reason: problem === null ? (given.reason ?? '') : shownSaid(message),
      signature: given.signature ?? null,
    };
    const answer = await this.answer(command, said, problem === null ? null : `it is not a command: ${problem}`, via);
    const why = said.reason ? `: ${said.reason}` : '';
    this.timeline?.note(
      `${said.actor}: ${command}${why} — ` + `${answer.accepted ? 'accepted' : `not accepted: ${answer.reason}`}`,
    );
    return answer;
  }

  private async answer(
    command: SteeringCommand,
    said: Said,
    malformed: string | null,
    via: 'update' | 'signal',
  ): Promise<SteeringAnswer> {
    const refusedBecause = malformed ?? this.whyNot(command);
    // Rollouts of 0.1.0 took commands without a word to anybody; theirs replay as they went.
    if (!patched('steering-ruled')) {
      if (refusedBecause !== null) return { accepted: false, reason: refusedBecause };
      this.apply(command, said, null);
      return { accepted: true, reason: answers[command] };
    }
    const atOnce = refusedBecause === null && isTowardsSafety(command);
    if (atOnce) this.apply(command, said, null);
    const asked = {
      id: this.nextId(),
      rolloutId: this.rolloutId,
      command,
      ...said,
      via,
      stage: this.stage(),
      refusedBecause,
      answer: answers[command],
    };
    try {
      const ruled = await CancellationScope.nonCancellable(() => quickActivities().ruleOnSteering(asked));
      if (!ruled.accepted || atOnce) return { accepted: ruled.accepted, reason: ruled.reason };
      // While it was ruled on, the rollout may have ended, been aborted or gone on: the record says that too.
      const overtaken =
        this.whyNot(command) ??
        (this.stage() === asked.stage ? null : 'the rollout has gone on to another ' + 'stage: look again');
      if (overtaken !== null) {
        const late = { ...asked, id: this.nextId(), stage: this.stage(), refusedBecause: overtaken };
        return await CancellationScope.nonCancellable(() => quickActivities().ruleOnSteering(late));
      }
      this.apply(command, said, ruled.roles);
      return { accepted: true, reason: ruled.reason };
    } catch (error) {
      return {
        accepted: atOnce,
        reason: `${atOnce ? answers[command] : 'it could not be ruled on'}; not written down: ${failureText(error)}`,
      };
    }
  }

  private nextId(): string {
    return `${workflowInfo().runId}/${++this.sequence}`;
  }

  private whyNot(command: SteeringCommand): string | null {
    if (this.closedBecause !== null) return this.closedBecause;
    if (this.aborted !== null) return 'the rollout is going back already';
    return command === 'resume' && !this.paused ? 'the rollout is not paused' : null;
  }

  private apply(command: SteeringCommand, { actor, reason }: Said, roles: readonly string[] | null): void {
    const why = reason ? `: ${reason}` : '';
    const who = `${actor}${roles && roles.length > 0 ? ` (${roles.join(', ')})` : ''}`;
    switch (command) {
      case 'pause':
        return this.pauseBecause(`paused by ${actor}${why}`);
      case 'resume':
        this.paused = false;
        this.movedBy = { actor, words: `resumed by ${who}${why}` };
        return;
      case 'advance':
        this.advancing = true;
        this.advancedBy = `${actor}${why}`;
        this.movedBy = { actor, words: `advanced by ${who}${why}` };
        return;
      case 'abort':
        this.aborted = `aborted by ${actor}${why}`;
        this.abortedBy = actor;
        return;
      default:
        return command satisfies never;
    }
  }
}
