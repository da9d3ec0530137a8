import { sql } from 'drizzle-orm';
import { definitions, versions } from '../schema/index.js';

/**
 * The score from which a version's label is `true`. Versions that 0.1.0 registered have none: the number that their
 * definition names counts, and 0.5, which they were served with, where it was chosen on the holdout. Ask it with the
 * version's definition joined.
 */
export const classThreshold = sql<number>`coalesce(${versions.threshold},
  case jsonb_typeof(${definitions.body} #> '{evaluation,threshold}')
  when 'number' then (${definitions.body} #>> '{evaluation,threshold}')::float8 else 0.5 end)`;
