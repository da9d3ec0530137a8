import { z } from 'zod';
import { actorSchema, environmentSchema } from '../../domain/names.js';
import { routeSchema } from '../../domain/serving/route.js';
import { listSchema } from './page.js';

/** Routes of one model, one an environment. */
export const routesOfModelSchema = z.object({ routes: z.array(routeSchema) });
export const routeListSchema = listSchema('routes', routeSchema);
/** Lets go of a model that gateways serve from before this database. */
export const letGoRequestSchema = z.strictObject({
  environment: environmentSchema,
  actor: actorSchema,
  reason: z.string().trim().min(1, 'give a short reason').max(1000),
});
export type LetGoRequest = z.infer<typeof letGoRequestSchema>;

export const letGoReplySchema = letGoRequestSchema.extend({ model: z.string(), at: z.iso.datetime() });

export type RoutesOfModel = z.infer<typeof routesOfModelSchema>;
