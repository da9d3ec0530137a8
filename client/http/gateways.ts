import { z } from 'zod';
import { actorSchema, environmentSchema } from '../../domain/names.js';
import { gatewayEventKinds } from '../../domain/serving/gateway-event.js';
import { listSchema } from './page.js';

export const gatewayListSchema = listSchema(
  'gateways',
  z.object({
    id: z.string(),
    environment: z.string(),
    url: z.string(),
    /** Its last heartbeat is recent: rollouts wait for it. */
    live: z.boolean(),
    heartbeatAt: z.iso.datetime(),
    routes: z.array(z.object({ model: z.string(), epoch: z.number().int(), error: z.string().nullable() })),
  }),
);

/** What happened to versions at gateways, the newest first. */
export const gatewayEventListSchema = listSchema(
  'events',
  z.object({
    id: z.string(),
    gatewayId: z.string(),
    environment: z.string(),
    model: z.string(),
    version: z.number().int().nullable(),
    kind: z.enum(gatewayEventKinds),
    message: z.string(),
    at: z.iso.datetime(),
  }),
);

export const gatewayOnDemandRequestSchema = z.strictObject({ environment: environmentSchema, actor: actorSchema });
export type GatewayOnDemandRequest = z.input<typeof gatewayOnDemandRequestSchema>;

export const gatewayOnDemandSchema = z.object({
  environment: z.string(),
  live: z.boolean().describe('whether one is alive now: a start and a stop take a moment'),
});
export type GatewayOnDemand = z.infer<typeof gatewayOnDemandSchema>;

export const trafficSchema = z.object({
  /** Requests since a version was first served there, those without an answer (`errors`) included. */
  versions: z.array(z.object({ version: z.number().int(), requests: z.number().int(), errors: z.number().int() })),
});
