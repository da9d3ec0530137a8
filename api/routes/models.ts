import { listModels } from '../../db/model-lists.js';
import { modelListSchema } from '../../client/http/models.js';
import type { RouteGroup } from '../route-group.js';

/** `GET /models`: what is known, by name. */
export const modelRoutes: RouteGroup = (app, { db }) => {
  app.get('/models', { schema: { tags: ['models'], response: { 200: modelListSchema } } }, async () => {
    const rows = await listModels(db);
    return {
      models: rows.map(({ definition, ...row }) => ({
        ...row,
        description: definition.description,
        owner: definition.owner,
        schedules: definition.triggers.schedules,
      })),
    };
  });
};
