import type { z } from 'zod';
import type { RequestActivities } from '../../../activities/parse-workflow-inputs.js';
import { PerdureError } from '../../../domain/errors.js';
import {
  importRequestSchema,
  promoteRequestSchema,
  reviewRequestSchema,
  rollbackRequestSchema,
  rolloutRequestSchema,
  trainRequestSchema,
} from '../../../domain/workflow-inputs.js';
import { describeIssues } from '../../../domain/schema-issue.js';
import type { WorldFacts } from './world-facts.js';

/** Requests are parsed by the real schemas; what a definition would add comes from the world. */
export function fakeRequests(world: WorldFacts): RequestActivities {
  return {
    parseTrainRequest: async (input) => {
      const { model, until, cause, force } = parse(trainRequestSchema, input);
      return {
        model,
        until: until ?? null,
        cause,
        force,
        definitionSha256: 'd'.repeat(64),
        priority: 3,
        ignoreWatermark: world.sample !== null,
        environment: world.sample?.environment ?? 'production',
        sample: world.sample,
      };
    },
    parseImportRequest: async (input) => {
      const { until, ...brought } = parse(importRequestSchema, input);
      return { ...brought, until: until ?? null, threshold: 0.5, definitionSha256: 'd'.repeat(64) };
    },
    parsePromoteRequest: async (input) => {
      const { model, version, environment, requestedBy, alsoShadow } = parse(promoteRequestSchema, input);
      return {
        model,
        version,
        environment: environment ?? 'production',
        requestedBy,
        alsoShadow,
        policy: world.promotionPolicy,
        stays: world.sample !== null,
        expiresInMs: world.promotionPolicy.expireAfterHours * 3_600_000,
      };
    },
    parseRolloutRequest: async (input) => {
      const { promotionId, ...rest } = parse(rolloutRequestSchema, input);
      return { ...rest, promotionId: promotionId ?? null };
    },
    parseReviewRequest: async (input) => parse(reviewRequestSchema, input),
    parseRollbackRequest: async (input) => {
      const { to, epoch, ...rest } = parse(rollbackRequestSchema, input);
      return { ...rest, to: to ?? null, leaves: epoch ?? world.routes.at(-1)?.epoch ?? 1, undoes: null };
    },
  };
}

function parse<Schema extends z.ZodType>(schema: Schema, input: unknown): z.output<Schema> {
  const parsed = schema.safeParse(input);
  if (parsed.success) return parsed.data;
  throw new PerdureError('input/invalid', describeIssues(parsed.error.issues));
}
