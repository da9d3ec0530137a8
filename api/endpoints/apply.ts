import { applyRequestSchema, applyResultSchema } from '../../client/http/apply.js';
import { applyDefinitions } from '../model/apply-definitions.js';
import type { EndpointGroup } from '../endpoint-group.js';

/**
 * `POST /apply`: definitions and their schedules become the ones in force; with `plan` it is only said what would
 * change.
 */
export const applyEndpoints: EndpointGroup = (app, deps) => {
  app.post(
    '/apply',
    { schema: { tags: ['models'], body: applyRequestSchema, response: { 200: applyResultSchema } } },
    async (request) => applyDefinitions(deps, request.body),
  );
};
