import { z } from 'zod';
import { listRollouts, rolloutWithLooks } from '../../db/rollout/rollout-lists.js';
import type { RolloutRecord } from '../../db/rollout/rollout-queries.js';
import { workflowIds } from '../../domain/ids.js';
import { environmentSchema, modelNameSchema } from '../../domain/names.js';
import { steeringOf } from '../../db/rollout/steering-queries.js';
import { listReply } from '../../client/http/page.js';
import {
  steeringReplySchema,
  steeringRequestSchema,
  rolloutDetailSchema,
  rolloutListSchema,
  type RolloutSummary,
} from '../../client/http/rollouts.js';
import { rolloutReplayListSchema, rolloutReplayRequestSchema } from '../../client/http/rollout-replay.js';
import { replayRollouts } from '../rollout/replay-rollouts.js';
import { pageQuerySchema, type EndpointGroup } from '../endpoint-group.js';

const ofModel = z.object({ model: modelNameSchema });
const listQuery = pageQuerySchema.extend({
  model: modelNameSchema.optional(),
  environment: environmentSchema.optional(),
});
const ofRollout = z.object({ id: z.string().min(1).max(200) });

/** Rollouts, the newest first, and one with the judge's looks. */
export const rolloutEndpoints: EndpointGroup = (app, { db, decisions: sender }) => {
  app.get(
    '/rollouts',
    { schema: { tags: ['rollouts'], querystring: listQuery, response: { 200: rolloutListSchema } } },
    async ({ query }) => listReply('rollouts', await listRollouts(db, query), summary),
  );

  app.get(
    '/rollouts/:id',
    { schema: { tags: ['rollouts'], params: ofRollout, response: { 200: rolloutDetailSchema } } },
    async ({ params }) => {
      const [{ rollout, looks }, steering] = await Promise.all([
        rolloutWithLooks(db, params.id),
        steeringOf(db, params.id),
      ]);
      return {
        ...summary(rollout),
        strategy: rollout.settled?.policy.strategy ?? null,
        stages: rollout.settled?.stages.map((stage) => stage.name) ?? [],
        lastWord: rollout.lateReview,
        awaitsLabels: awaitsLabels(rollout),
        steering: steering.map(({ command, actor, roles, reason, via, stage, accepted, answer, signature, at }) => ({
          ...{ command, actor, roles, reason, via, stage, accepted, answer },
          signed: signature !== null,
          at: at.toISOString(),
        })),
        looks: looks.map(({ look, stage: step, at, result, inputsSha256 }) => ({
          ...{ look, step, inputsSha256 },
          at: at.toISOString(),
          verdict: result.verdict,
          waitsFor: result.waitsFor,
          leftOut: result.leftOut,
          latency: result.latency,
          winner: result.winner,
          metrics: result.metrics.map((metric) => ({ ...metric })),
        })),
      };
    },
  );

  app.post(
    '/rollouts/:id/steering',
    {
      schema: {
        tags: ['rollouts'],
        description:
          'Pause, resume, advance or abort. The API signs it; the answer says whether the rollout ' +
          'takes it, and why.',
        params: ofRollout,
        body: steeringRequestSchema,
        response: { 200: steeringReplySchema },
      },
    },
    async ({ params, body, log }) => {
      const { rollout } = await rolloutWithLooks(db, params.id);
      const reply = await sender.steer(rollout, body);
      log.info(
        { rollout: rollout.id, command: body.command, actor: body.actor, accepted: reply.accepted },
        'rollout steered',
      );
      return reply;
    },
  );

  app.post(
    '/models/:model/rollouts/replay',
    {
      schema: {
        tags: ['rollouts'],
        params: ofModel,
        body: rolloutReplayRequestSchema,
        response: { 200: rolloutReplayListSchema },
      },
    },
    ({ params, body }) => replayRollouts(db, { ...params, ...body }),
  );
};

/** A rollout that has put its challenger in, by a policy that asks late labels, is reviewed until they have spoken. */
function awaitsLabels({ state, settled, lateReview, environment, model, challenger }: RolloutRecord): string | null {
  const asked = settled?.policy.lateLabels !== undefined && settled.parties.champion !== null;
  return asked && state === 'completed' && lateReview === null
    ? workflowIds.review(environment, model, challenger)
    : null;
}

function summary(row: RolloutRecord): RolloutSummary {
  const { id, workflowId, environment, model, challenger, champion, promotionId, state, stage: step, reason } = row;
  return {
    ...{ id, workflowId, environment, model, challenger, champion, promotionId, state, step, reason },
    startedAt: row.startedAt.toISOString(),
    finishedAt: row.finishedAt?.toISOString() ?? null,
  };
}
