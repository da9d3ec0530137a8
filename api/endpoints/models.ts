import { z } from 'zod';
import { definitionByDigest, definitionInForce } from '../../db/model/definition-queries.js';
import { listModels, type ModelRow } from '../../db/model/model-lists.js';
import { PerdureError } from '../../domain/errors.js';
import { environmentSchema, modelNameSchema, sha256Schema } from '../../domain/names.js';
import {
  modelDetailSchema,
  modelListSchema,
  retireRequestSchema,
  type ModelSummary,
} from '../../client/http/models.js';
import { routeListSchema } from '../../client/http/routes.js';
import { endService } from '../serving/end-service.js';
import type { EndpointGroup } from '../endpoint-group.js';

const ofModel = z.object({ model: modelNameSchema });
const definitionSchema = z.record(z.string(), z.json());

/** `GET /models[/{model}]`: what is known, by name; `/definitions/{sha256}`: any definition that was ever applied. */
export const modelEndpoints: EndpointGroup = (app, deps) => {
  const { db } = deps;
  app.post(
    '/models/:model/retire',
    { schema: { tags: ['models'], params: ofModel, body: retireRequestSchema, response: { 200: routeListSchema } } },
    async ({ params: { model }, body: { environment, actor, reason } }) => ({
      routes: await endService(deps, {
        model,
        environments: environment ? [environment] : environmentSchema.options,
        actor,
        reason,
      }),
    }),
  );

  app.get('/models', { schema: { tags: ['models'], response: { 200: modelListSchema } } }, async () => ({
    models: (await listModels(db)).map(summary),
  }));

  app.get(
    '/models/:model',
    { schema: { tags: ['models'], params: ofModel, response: { 200: modelDetailSchema } } },
    async ({ params }) => {
      const row = (await listModels(db, params.model))[0];
      if (row) return { ...summary(row), definition: definitionSchema.parse(row.definition) };
      await definitionInForce(db, params.model);
      throw new PerdureError('model/unknown', `No model is called ${params.model}.`, params);
    },
  );

  app.get(
    '/definitions/:sha256',
    { schema: { tags: ['models'], params: z.object({ sha256: sha256Schema }), response: { 200: definitionSchema } } },
    async ({ params }) => definitionSchema.parse(await definitionByDigest(db, params.sha256)),
  );
};

function summary({ definition, ...row }: ModelRow): ModelSummary {
  return {
    ...row,
    description: definition.description,
    owner: definition.owner,
    schedules: definition.triggers.schedules,
  };
}
