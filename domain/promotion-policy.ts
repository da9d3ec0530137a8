import { z } from 'zod';
import { environmentSchema } from './names.js';

const hours = (fallback: number) =>
  z
    .number()
    .positive()
    .max(24 * 365)
    .default(fallback);

export const promotionPolicySchema = z
  .strictObject({
    /** Walked in this order: each must serve the version before the next is asked. */
    environments: z.array(environmentSchema).min(1).default(['production']),
    /** Whether the first version of an empty environment goes in by itself once its gates passed. */
    firstVersion: z.enum(['automatic', 'approval']).default('automatic'),
    approvals: z
      .strictObject({
        /** How many different people must approve; 0 lets a version through on its gates alone. */
        count: z.number().int().min(0).max(10).default(1),
        /** Any one of these roles counts. */
        roles: z.array(z.string().min(1)).min(1).default(['approver']),
      })
      .prefault({}),
    /** A reminder is written each time this many hours passed without a decision. */
    remindAfterHours: hours(24),
    expireAfterHours: hours(24 * 7),
    /** Whether a decision by Signal, which carries no signature, counts or is only recorded and answered. */
    unsignedSignals: z.enum(['count', 'record']).default('count'),
  })
  .refine((policy) => new Set(policy.environments).size === policy.environments.length, {
    path: ['environments'],
    message: 'each environment may be named once',
  });
export type PromotionPolicy = z.infer<typeof promotionPolicySchema>;
