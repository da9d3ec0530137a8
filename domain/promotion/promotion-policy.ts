import { z } from 'zod';
import { breakingContractSchema } from './contract-consent.js';
import { environmentSchema } from '../names.js';

const hours = z
  .number()
  .positive()
  .max(24 * 365);
const rolesSchema = z.array(z.string().min(1)).min(1).max(20);

export const promotionPolicySchema = z
  .strictObject({
    /** Walked in this order: each must serve the version before the next is asked. */
    environments: z.array(environmentSchema).min(1).default(['production']),
    /** Whether the first version of an empty environment goes in by itself once its gates passed. */
    firstVersion: z.enum(['automatic', 'approval']).default('automatic'),
    approvals: z
      .strictObject({
        /** How many different people must approve; 0 asks nobody here. */
        count: z.number().int().min(0).max(10).default(1),
        /** Any one of these roles counts. */
        roles: rolesSchema.default(['approver']),
        /** Further approvals, each by people of its own roles. One person counts for one approval only. */
        alsoRequire: z
          .array(z.strictObject({ count: z.number().int().min(1).max(10).default(1), roles: rolesSchema }))
          .max(5)
          .default([]),
      })
      .prefault({}),
    /** A reminder is written each time this many hours passed without a decision; later each twentieth of its age. */
    remindAfterHours: hours.default(24),
    /** After so many hours without a decision, people with one of `escalateTo` may approve too. */
    escalateAfterHours: hours.optional(),
    escalateTo: rolesSchema.optional(),
    expireAfterHours: hours.default(24 * 7),
    /**
     * What becomes of promotions of older versions that still wait when a newer one shows its evidence; they are
     * superseded when absent.
     */
    olderWaiting: z.enum(['supersede', 'keep']).optional(),
    /** Whether a decision by Signal that carries no signature counts or is only recorded and answered. */
    unsignedSignals: z.enum(['count', 'record']).default('count'),
    /** Whether a version may come in that does not answer all that is answered today. Absent: `refuse`. */
    breakingContract: breakingContractSchema.optional(),
  })
  .refine((policy) => new Set(policy.environments).size === policy.environments.length, {
    path: ['environments'],
    message: 'each environment may be named once',
  })
  .refine((policy) => (policy.escalateAfterHours === undefined) === (policy.escalateTo === undefined), {
    path: ['escalateTo'],
    message: 'escalateAfterHours and escalateTo go together: set both or neither',
  })
  .refine((policy) => policy.escalateAfterHours === undefined || policy.escalateAfterHours < policy.expireAfterHours, {
    path: ['escalateAfterHours'],
    message: 'must be less than expireAfterHours: a promotion that has expired cannot be escalated',
  });
export type PromotionPolicy = z.infer<typeof promotionPolicySchema>;
