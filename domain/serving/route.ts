import { z } from 'zod';
import { classNameSchema } from '../tasks/task.js';
import { routeWriterSchema } from './route-writer.js';
import { environmentSchema, modelNameSchema, sha256Schema, versionNumberSchema } from '../names.js';

export const splitSchema = z
  .array(z.strictObject({ version: versionNumberSchema, sharePct: z.number().min(0).max(100) }))
  .min(1)
  .refine(
    (split) => Math.abs(split.reduce((sum, part) => sum + part.sharePct, 0) - 100) < 1e-9,
    'shares must add up to 100',
  )
  .refine((split) => new Set(split.map((part) => part.version)).size === split.length, 'a version may appear once');
export type Split = z.infer<typeof splitSchema>;

/** A version that answers copies of requests off the answering path; nobody sees its answers but the judge. */
const shadowSchema = z.strictObject({ version: versionNumberSchema, samplePct: z.number().gt(0).max(100) });
export type Shadow = z.infer<typeof shadowSchema>;

/** Requests that get one version whatever the split says: those with one of the keys, or with one of the headers. */
const overrideSchema = z.strictObject({
  version: versionNumberSchema,
  keys: z.array(z.string().min(1).max(1024)),
  headers: z.array(z.strictObject({ name: z.string(), value: z.string() })),
});
export type RouteOverride = z.infer<typeof overrideSchema>;

/** What a route says to do with requests. */
const routeTargetSchema = z.strictObject({
  /** The champion first. */
  split: splitSchema,
  shadows: z.array(shadowSchema).default([]),
  /** Loaded and answering requests by version only, for an instant switch. */
  standby: z.array(versionNumberSchema).default([]),
  overrides: z.array(overrideSchema).default([]),
});
export type RouteTarget = z.infer<typeof routeTargetSchema>;
export type RouteTargetInput = z.input<typeof routeTargetSchema>;

/** Every version that a route needs loaded, once each. */
export function versionsOfRoute({ split, shadows, standby, overrides }: RouteTarget): number[] {
  return [...new Set([...split, ...shadows, ...overrides].map((part) => part.version).concat(standby))];
}

/**
 * A person ended a model's service in an environment: nothing is served from then on, and the split says what was
 * served last.
 */
const endOfServiceSchema = z.strictObject({ by: z.string(), reason: z.string() });
export type EndOfService = z.infer<typeof endOfServiceSchema>;

/** What an environment serves of a model. Replaced whole; epochs rise, and compare only within one store. */
export const routeSchema = z.strictObject({
  storeId: z.string(),
  environment: environmentSchema,
  model: modelNameSchema,
  epoch: z.number().int().min(1),
  ...routeTargetSchema.shape,
  reason: z.string(),
  /** Absent for a route that no workflow wrote. */
  writtenBy: routeWriterSchema.optional(),
  at: z.iso.datetime(),
  /** Absent while it serves. */
  ended: endOfServiceSchema.optional(),
});
export type Route = z.infer<typeof routeSchema>;

/** The reason of a route that a rollout's stage writes. */
export const rolloutReason = (model: string, challenger: number, stage: string): string =>
  `rollout of ${model}@${challenger}: ${stage}`;

/** What a gateway needs to serve one version. */
export const servedVersionSchema = z.strictObject({
  model: modelNameSchema,
  version: versionNumberSchema,
  artifactSha256: sha256Schema,
  artifactKey: z.string(),
  definitionSha256: sha256Schema,
  /** The score from which its label is `true`; absent where a gateway of 0.1.0 kept it: 0.5. */
  threshold: z.number().optional(),
  /** Of a classifier whose contract lists no classes: those that it was trained on, in the order of its answers. */
  classes: z.array(classNameSchema).min(1).optional(),
});
export type ServedVersion = z.infer<typeof servedVersionSchema>;

/** What a gateway needs to know of a version whose callers it still answers. */
export const formerVersionSchema = servedVersionSchema.pick({ model: true, version: true, definitionSha256: true });
export type FormerVersion = z.infer<typeof formerVersionSchema>;

/** The version with the greatest share, the first one at a tie. */
export function championOf(split: Split): number {
  return split.reduce((best, part) => (part.sharePct > best.sharePct ? part : best)).version;
}

/**
 * The version whose contract callers were promised. The champion stands first in a split until the challenger has
 * everything; from then on it stands by, where it does at all, and is the older of the two.
 */
export function incumbentOf({ split, standby }: Pick<RouteTarget, 'split' | 'standby'>): number {
  const [first] = split;
  if (first === undefined) throw new RangeError('a split names at least one version');
  return split.length > 1 ? first.version : Math.min(first.version, ...standby);
}
