import { CancellationScope, condition, patched, setHandler, workflowInfo } from '@temporalio/workflow';
import type { SteeringCommand } from '../../domain/workflow-inputs.js';
import { messageProblem, messageExcerpt } from '../../domain/workflow-message.js';
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
import { RolloutCommands, type CommandEntries } from './rollout-commands.js';
import type { Timeline } from '../timeline.js';
import { Mutex } from '../mutex.js';

const commands: readonly SteeringCommand[] = ['pause', 'resume', 'advance', 'abort'];
const textRules = { command: { max: 20 }, actor: { max: 200 }, reason: { max: 1000 }, signature: { max: 400 } };
const answers: Readonly<Record<SteeringCommand, string>> = {
  pause: 'paused; the split is unchanged',
  resume: 'resumed',
  advance: 'continues with the next stage',
  abort: 'goes back to the champion',
};

/** A command as it was heard, in which stage, and what became of it at once. */
interface HeardCommand {
  command: SteeringCommand;
  actor: string;
  reason: string;
  signature: string | null;
  via: 'update' | 'signal';
  stage: number;
  /** Why it was not taken when it was heard; null where it was, or where that is still to be ruled on. */
  refusedBecause: string | null;
  /** Whether it took effect when it was heard. */
  applied: boolean;
}

/** What was said to a rollout; carried over when it continues as new. */
export interface SteeringEntries {
  /** Under this name in inputs of runs that go on. */
  wishes: CommandEntries;
  closedBecause: string | null;
  /** Signals that nobody has ruled on or written down yet. */
  unruled: HeardCommand[];
}

/** So much of what nobody has ruled on may be carried over: an input has a limit of two megabytes. */
const unruledCharactersMax = 400_000;

/**
 * What people say to a rollout while it runs. What leads back or keeps what is takes effect at once; what moves traffic
 * waits until an activity has ruled on it. Everything is written down, one after the other, what was not understood
 * too. The rollout reads them between its steps.
 */
export class RolloutSteering {
  readonly commands: RolloutCommands;
  private closedBecause: string | null = null;
  private timeline: Timeline | undefined;
  private sequence = 0;
  private readonly unruled: HeardCommand[] = [];
  private readonly mutex = new Mutex();
  private carriesOver = false;

  constructor(
    private readonly rolloutId: string,
    private readonly stage: () => number,
    carried: SteeringEntries | undefined,
  ) {
    this.commands = new RolloutCommands(carried?.wishes);
    this.closedBecause = carried?.closedBecause ?? null;
    for (const heard of carried?.unruled ?? []) void this.answerSignal(heard);
    // Last: what was said before the first task is heard at once.
    setHandler(steerRolloutUpdate, (message: unknown): SteeringAnswer | Promise<SteeringAnswer> => {
      const said =
        message !== null && typeof message === 'object' && 'command' in message ? message.command : undefined;
      const command = commands.find((one) => one === said);
      if (command === undefined) return { accepted: false, reason: `command: must be ${commands.join(', ')}` };
      return this.answerUpdate(this.heard(command, message, 'update'));
    });
    const signals = [
      [pauseSignal, 'pause'],
      [resumeSignal, 'resume'],
      [advanceSignal, 'advance'],
      [abortSignal, 'abort'],
    ] as const;
    for (const [signal, command] of signals)
      setHandler(signal, (said: unknown) => this.answerSignal(this.heard(command, said ?? {}, 'signal')));
  }

  attach(timeline: Timeline): void {
    this.timeline = timeline;
  }

  close(because: string): void {
    this.closedBecause = because;
  }

  /** Whether everything that was said has been answered and written down. */
  get settled(): boolean {
    return this.mutex.free && this.unruled.length === 0;
  }

  /**
   * What the next run goes on with, once the answer that is under way has been given: signals that wait for theirs go
   * with it.
   */
  async carryOver(): Promise<SteeringEntries> {
    await condition(() => JSON.stringify(this.unruled).length <= unruledCharactersMax);
    this.carriesOver = true;
    await condition(() => this.mutex.free);
    return { wishes: this.commands.entries, closedBecause: this.closedBecause, unruled: this.unruled };
  }

  /** Reads a command, whatever was sent: what has another shape changes nothing. */
  private heard(command: SteeringCommand, message: unknown, via: 'update' | 'signal'): HeardCommand {
    const problem = messageProblem(message, textRules);
    const given = problem === null ? (message as { actor?: string; reason?: string; signature?: string }) : {};
    const said = {
      actor: problem === null ? given.actor?.trim() || 'unknown' : 'unreadable',
      reason: problem === null ? (given.reason ?? '') : messageExcerpt(message),
      signature: given.signature ?? null,
    };
    const refusedBecause = problem === null ? this.whyNot(command) : `it is not a command: ${problem}`;
    return { command, ...said, via, stage: this.stage(), refusedBecause, applied: false };
  }

  private async answerSignal(heard: HeardCommand): Promise<void> {
    this.unruled.push(heard);
    if (await this.answerTo(heard)) this.unruled.splice(this.unruled.indexOf(heard), 1);
  }

  private async answerUpdate(heard: HeardCommand): Promise<SteeringAnswer> {
    return (await this.answerTo(heard)) ?? { accepted: false, reason: 'it was not processed: send it again' };
  }

  /** Undefined where the next run answers. */
  private async answerTo(heard: HeardCommand): Promise<SteeringAnswer | undefined> {
    const answer = await this.answer(heard);
    if (!answer) return undefined;
    const { command, actor, reason } = heard;
    const why = reason ? `: ${reason}` : '';
    this.timeline?.note(
      `${actor}: ${command}${why} — ${answer.accepted ? 'accepted' : `not accepted: ${answer.reason}`}`,
    );
    return answer;
  }

  private async answer(heard: HeardCommand): Promise<SteeringAnswer | undefined> {
    const { command, refusedBecause, via } = heard;
    // Rollouts of 0.1.0 took commands without a word to anybody; theirs replay as they went.
    if (!patched('steering-ruled')) {
      if (refusedBecause !== null) return { accepted: false, reason: refusedBecause };
      this.commands.apply(command, heard, null);
      return { accepted: true, reason: answers[command] };
    }
    if (refusedBecause === null && !heard.applied && isTowardsSafety(command)) {
      this.commands.apply(command, heard, null);
      heard.applied = true;
    }
    // Then they were ruled on all at the same time.
    if (!patched('steering-in-turn')) return this.ruleOn(heard, refusedBecause);
    const left = () => this.carriesOver && via === 'signal';
    return this.mutex.take(() => this.ruleOn(heard, this.whyLate(heard)), { left });
  }

  /** Rules on a command, or writes down that it has taken effect. */
  private async ruleOn(heard: HeardCommand, refusedBecause: string | null): Promise<SteeringAnswer> {
    const { applied, ...said } = heard;
    const { command } = said;
    const ask = (more: { stage: number; refusedBecause: string | null }) => {
      const asked = {
        ...said,
        ...more,
        id: `${workflowInfo().runId}/${++this.sequence}`,
        rolloutId: this.rolloutId,
        answer: answers[command],
      };
      return CancellationScope.nonCancellable(() => quickActivities().ruleOnSteering(asked));
    };
    try {
      const ruled = await ask({ stage: said.stage, refusedBecause });
      if (!ruled.accepted || applied) return { accepted: ruled.accepted, reason: ruled.reason };
      // While it was ruled on, the rollout may have ended, been aborted or gone on: the record says that too.
      const overtaken = this.whyLate(heard);
      if (overtaken !== null) return await ask({ stage: this.stage(), refusedBecause: overtaken });
      this.commands.apply(command, heard, ruled.roles);
      return { accepted: true, reason: ruled.reason };
    } catch (error) {
      return {
        accepted: applied,
        reason: `${applied ? answers[command] : 'it could not be processed'}; not recorded: ${failureText(error)}`,
      };
    }
  }

  private whyNot(command: SteeringCommand): string | null {
    if (this.closedBecause !== null) return this.closedBecause;
    if (this.commands.aborted) return 'the rollout is already going back';
    return command === 'resume' && !this.commands.paused ? 'the rollout is not paused' : null;
  }

  /** Why a command is not taken now that it is its turn; what has taken effect stays so. */
  private whyLate({ command, stage, refusedBecause, applied }: HeardCommand): string | null {
    if (applied) return null;
    const otherStage = this.stage() === stage ? null : 'the rollout has moved on to another stage: check it again';
    return refusedBecause ?? this.whyNot(command) ?? otherStage;
  }
}
