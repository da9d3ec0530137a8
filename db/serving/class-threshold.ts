import { sql } from 'drizzle-orm';
import { z } from 'zod';
import { classThreshold as thresholdOf } from '../../domain/evaluation/class-threshold.js';
import { definitions, versions } from '../schema/index.js';

const namedSchema = z.tuple([z.number().nullable(), z.unknown()]);

/** The threshold by which a version is served. Ask it with the version's definition joined. */
export const classThreshold = sql<number>`
  jsonb_build_array(${versions.threshold}, ${definitions.body} #> '{evaluation,threshold}')`.mapWith(
  (named: unknown): number => thresholdOf(...namedSchema.parse(typeof named === 'string' ? JSON.parse(named) : named)),
);
