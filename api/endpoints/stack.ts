import { openWorkSchema } from '../../client/http/open-work.js';
import { stackSchema } from '../../client/http/stack.js';
import type { EndpointGroup } from '../endpoint-group.js';
import { latestAnswer } from '../stack/latest-answer.js';

/** People who ask twice see the change that they made in between. */
const freshMs = 2_000;
/** `perdure status` waits 200 ms for the reply. */
const patienceMs = 100;

/**
 * `GET /stack`: which stack this is and which Temporal it uses, so that clients use the same.
 * `GET /stack/work`: what waits and what is stuck, as it was found last, soon after it was asked.
 */
export const stackEndpoints: EndpointGroup = (app, { stack, temporalPlace, openWork }) => {
  app.get('/stack', { schema: { tags: ['health'], response: { 200: stackSchema } } }, async () => ({
    id: stack?.id ?? null,
    home: stack?.home ?? null,
    temporal: await temporalPlace(),
  }));
  const latest = latestAnswer(openWork, { freshMs, patienceMs });
  app.get('/stack/work', { schema: { tags: ['health'], response: { 200: openWorkSchema } } }, async () => {
    const answer = await latest();
    return {
      asOf: answer?.askedAt.toISOString() ?? null,
      waiting: answer?.value.depth ?? null,
      troubles: answer?.value.checks.filter(({ outcome }) => outcome !== 'ok') ?? [],
    };
  });
};
