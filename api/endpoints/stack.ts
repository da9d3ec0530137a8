import { stackSchema } from '../../client/http/stack.js';
import type { EndpointGroup } from '../endpoint-group.js';

/** `GET /stack`: which stack this is and which Temporal it uses, so that clients use the same. */
export const stackEndpoints: EndpointGroup = (app, { stack, temporalPlace }) => {
  app.get('/stack', { schema: { tags: ['health'], response: { 200: stackSchema } } }, async () => ({
    id: stack?.id ?? null,
    home: stack?.home ?? null,
    temporal: await temporalPlace(),
  }));
};
