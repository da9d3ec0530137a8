import {
  allHandlersFinished,
  CancellationScope,
  condition,
  executeChild,
  isCancellation,
  patched,
  ParentClosePolicy,
  setHandler,
  sleep,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { workflowIds } from '../../domain/ids.js';
import type { Environment } from '../../domain/names.js';
import type { PromotionPolicy } from '../../domain/promotion/promotion-policy.js';
import { requirementsOf, requirementText } from '../../domain/promotion/approval-places.js';
import { needsNoApproval, promotionStanding, standingPlaces } from '../../domain/promotion/promotion-standing.js';
import type { PromotionState } from '../../domain/promotion/promotion.js';
import type { PromoteRequest } from '../../domain/requests.js';
import { evidence, quickActivities, inputChecks } from '../activity-profiles.js';
import { asDecision, DecisionBook } from './decision-book.js';
import { DecisionWait } from './decision-wait.js';
import { failureCode, failureText } from '../failure-text.js';
import {
  approveSignal,
  decidePromotionUpdate,
  giveWaySignal,
  promotionStatusQuery,
  rejectSignal,
  withdrawSignal,
} from '../messages.js';
import { rolloutModel } from '../rollout/rollout-model.js';
import type { RolloutResult } from '../rollout/rollout-progress.js';
import { shadowsOf } from './planned-before.js';
import { mark, Timeline } from '../timeline.js';

export interface PromotionResult {
  promotionId: string;
  state: PromotionState;
  reason: string;
}

/**
 * Takes a version into an environment: evidence, decisions by people, rollout, and then the next environment of the
 * policy. Only decisions end it before it moves traffic: a cancellation has no actor. One that comes while it rolls out
 * goes back to the champion.
 */
export async function promoteModel(input: PromoteRequest): Promise<PromotionResult> {
  let onCancellation = () => {};
  CancellationScope.current().cancelRequested.catch(() => onCancellation());
  return CancellationScope.nonCancellable(() => promote(input, (then) => (onCancellation = then)));
}

async function promote(input: PromoteRequest, whenCancelled: (then: () => void) => void): Promise<PromotionResult> {
  const { workflowId, firstExecutionRunId: promotionId } = workflowInfo();
  const timeline = new Timeline(`Promotion of ${input?.model}@${input?.version}`);
  const book = new DecisionBook(promotionId, timeline);
  const rolling = new CancellationScope();
  whenCancelled(() => {
    if (state === 'rolling-out') rolling.cancel();
    else
      timeline.note(
        'a cancellation decides nothing: send Signal reject or withdraw with `{"actor": ' +
          '"you@example.com", "comment": "why"}`',
      );
  });
  let state: PromotionState = 'gathering-evidence';

  setHandler(
    decidePromotionUpdate,
    (decision) => CancellationScope.nonCancellable(() => book.rule(decision, 'update')),
    {
      validator: DecisionBook.checkShape,
    },
  );
  for (const [signal, decision] of [
    [approveSignal, 'approve'],
    [rejectSignal, 'reject'],
    [withdrawSignal, 'withdraw'],
  ] as const) {
    setHandler(
      signal,
      async (message: unknown) =>
        void (await CancellationScope.nonCancellable(() => book.rule(asDecision(message, decision), 'signal'))),
    );
  }
  let toldToGiveWay = false;
  setHandler(giveWaySignal, () => void (toldToGiveWay = true));
  /** Until evidence is shown, the policy that was in force when it was asked for; then what the evidence shows. */
  let policy: PromotionPolicy | undefined;
  setHandler(promotionStatusQuery, () => ({
    promotionId,
    state,
    evidenceSha256: book.evidenceSha256,
    escalatedAt: book.escalatedAt,
    stillNeeded:
      policy && state === 'waiting-for-approval'
        ? standingPlaces(policy, book.decisions, book.escalatedAt !== null).missing
        : [],
    decisions: book.decisions,
  }));

  const request = await inputChecks().parsePromoteRequest(input);
  const { model, version, environment, requestedBy } = request;
  const alsoShadow = shadowsOf(request);
  policy = request.policy;
  mark({ model, version: String(version), environment });
  const startedMs = Date.now();
  const deadlineMs = startedMs + request.expiresInMs;
  await quickActivities().openPromotion({ id: promotionId, workflowId, model, version, environment, requestedBy });

  const enter = async (next: PromotionState, reason: string | null = null): Promise<PromotionResult> => {
    state = next;
    await quickActivities().setPromotionState({ promotionId, state, reason });
    return { promotionId, state, reason: reason ?? '' };
  };
  const close = async (next: PromotionState, reason: string): Promise<PromotionResult> => {
    book.close(`the promotion is over: ${next}`);
    const result = await enter(next, reason);
    mark({ outcome: next });
    timeline.finished(`${next}: ${reason}`);
    await condition(allHandlersFinished);
    return result;
  };

  try {
    for (;;) {
      timeline.doing('gathering evidence: candidate against champion on the same holdout');
      const shown = await evidence().gatherEvidence({ promotionId, model, version, environment });
      policy = shown.policy ?? policy;
      if (shown.conflict) return await close('superseded', shown.conflict);
      timeline.finished(`evidence ${shown.evidenceSha256.slice(0, 12)}: ${shown.summary}`);
      book.open(shown.evidenceSha256);
      if (patched('older-give-way')) await tellOlder(promotionId, timeline);

      const stopped = () => book.decisions.some((one) => one.counted && one.decision !== 'approve');
      if (needsNoApproval(policy, shown.champion)) {
        await untilCutOver(shown.notBefore, timeline, stopped);
        if (shown.notBefore !== undefined && stopped()) return await close('withdrawn', book.lastReason);
        await book.hold('the policy lets this version in without an approval');
        await book.ruleByPolicy(
          shown.champion === null ? 'first version of an empty environment' : 'the policy asks for no approval',
        );
      } else {
        await enter('waiting-for-approval');
        // The list in the Temporal UI then says which workflow waits for a person.
        if (patched('marks-waiting')) mark({ outcome: 'waiting-for-approval' });
        timeline.doing(
          `waiting for approvals, ${requirementText(requirementsOf(policy, book.escalatedAt !== null))}: ` +
            `Update decidePromotion, or Signal approve or reject with \`{"actor": "you@example.com", ` +
            `"comment": "why"}\``,
        );
        const wait = new DecisionWait({ book, policy, promotionId, timeline, startedMs, deadlineMs });
        let newer: number | null = null;
        do {
          await wait.untilDecided(() => toldToGiveWay);
          if (!toldToGiveWay) break;
          toldToGiveWay = false;
          newer = (await quickActivities().supersededBy({ promotionId })).version;
        } while (newer === null);
        const asked = policy;
        await untilCutOver(
          shown.notBefore,
          timeline,
          () => promotionStanding(asked, book.decisions, book.escalatedAt !== null) !== 'approved',
        );
        await book.hold('the promotion has been decided');
        const standing = promotionStanding(policy, book.decisions, book.escalatedAt !== null);
        if (standing === 'waiting' && newer !== null)
          return await close('superseded', `version ${newer} was asked for after it`);
        if (standing === 'waiting')
          return await close('expired', `no decision within ${policy.expireAfterHours} hours`);
        if (standing !== 'approved') return await close(standing, book.lastReason);
        timeline.finished(`approved by ${book.approvers.join(', ')}`);
      }
      const check = await quickActivities().verifyPromotion({ promotionId });
      if (check.holds) {
        book.close('it is approved: to stop it now, abort the rollout or roll back');
        await enter('rolling-out');
        if (patched('marks-waiting')) mark({ outcome: 'rolling-out' });
        timeline.doing(`rolling out to ${environment}`);
        const args = { model, version, environment, promotionId, ...(alsoShadow.length > 0 && { alsoShadow }) };
        const rollout = await rolling.run(() =>
          rollOut(args, () =>
            timeline.doing(
              `approved; waits for another rollout of ${model} in ${environment} to end, then ` + 'goes on by itself',
            ),
          ),
        );
        if (!('stale' in rollout)) {
          if (rollout.state !== 'completed')
            return await close(rollout.state === 'failed' ? 'failed' : 'rolled-back', rollout.reason);
          timeline.finished(`serves in ${environment} since epoch ${rollout.epoch}`);
          const next = policy.environments[policy.environments.indexOf(environment) + 1];
          if (next)
            await askForNext({
              model,
              version,
              environment: next,
              requestedBy,
              ...(alsoShadow.length > 0 && { alsoShadow }),
            });
          return await close('promoted', `${model}@${version} is champion in ${environment}`);
        }
        check.reason = rollout.stale;
      }
      book.close('new evidence is being gathered: read it and decide again');
      timeline.note(`evidence is out of date (${check.reason}): decisions on it no longer count`);
    }
  } catch (error) {
    await close(isCancellation(error) ? 'rolled-back' : 'failed', failureText(error));
    throw error;
  }
}

/** Those who decide see one candidate for a place, the newest. */
async function tellOlder(promotionId: string, timeline: Timeline): Promise<void> {
  const { versions } = await quickActivities().supersedeOlder({ promotionId });
  if (versions.length > 0) timeline.note(`takes the place of version ${versions.join(', ')}, which waited`);
}

/**
 * One rollout per environment and model: another that still runs is waited for. If the champion changed meanwhile
 * nothing is moved, and the evidence is stale.
 */
async function rollOut(
  args: {
    model: string;
    version: number;
    environment: Environment;
    promotionId: string;
    alsoShadow?: number[];
  },
  onQueued: () => void,
): Promise<RolloutResult | { stale: string }> {
  for (;;) {
    try {
      return await executeChild(rolloutModel, {
        workflowId: workflowIds.rollout(args.environment, args.model),
        args: [args],
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        staticSummary: `${args.model}@${args.version} in ${args.environment}`,
      });
    } catch (error) {
      if (failureCode(error) === 'promotion/stale') return { stale: failureText(error) };
      if (!isAlreadyStarted(error)) throw error;
      onQueued();
      await sleep('5s', { summary: 'another rollout of the model goes first' });
    }
  }
}

/** Waits for the moment of a declared cut-over. Until then it can still be stopped. */
async function untilCutOver(notBefore: string | undefined, timeline: Timeline, stopped: () => boolean): Promise<void> {
  const waitMs = notBefore === undefined ? 0 : Date.parse(notBefore) - Date.now();
  if (waitMs <= 0 || stopped()) return;
  timeline.doing(`approved; waits for its cut-over at ${notBefore}. Until then it can be withdrawn.`);
  await condition(stopped, waitMs);
}

async function askForNext(next: {
  model: string;
  version: number;
  environment: Environment;
  requestedBy: string;
  alsoShadow?: number[];
}): Promise<void> {
  try {
    await startChild(promoteModel, {
      workflowId: workflowIds.promote(next.model, next.version, next.environment),
      args: [next],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `${next.model}@${next.version} to ${next.environment}`,
    });
  } catch (error) {
    if (!isAlreadyStarted(error)) throw error;
  }
}

const isAlreadyStarted = (error: unknown): boolean =>
  error instanceof Error && error.name === 'WorkflowExecutionAlreadyStartedError';
