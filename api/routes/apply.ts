import { applyRequestSchema, applyResultSchema } from '../../client/http/apply.js';
import { applyDefinitions } from '../apply-definitions.js';
import type { RouteGroup } from '../route-group.js';

/** `POST /apply`: definitions and their schedules become the ones in force; with `plan` it is only said what would change. */
export const applyRoutes: RouteGroup = (app, deps) => {
  app.post('/apply', { schema: { tags: ['models'], body: applyRequestSchema, response: { 200: applyResultSchema } } }, async (request) =>
    applyDefinitions(deps, request.body),
  );
};
