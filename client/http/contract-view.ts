import { z } from 'zod';
import { contractCompatibilitySchema } from '../../domain/data/contract-compatibility.js';

/** What callers of an environment would find under a contract. */
export const contractViewSchema = contractCompatibilitySchema.extend({
  /** The versions whose contracts callers are promised now; none in an empty environment. */
  against: z.array(z.number().int()),
  /** The verdict in words, with the defaults or with what would break. */
  text: z.string(),
});
export type ContractView = z.infer<typeof contractViewSchema>;
