import { z } from 'zod';
import type { ContractCompatibility } from '../data/contract-compatibility.js';
import type { RolloutStrategy } from '../rollout/rollout-policy.js';

/** What a promotion policy says to a version that would not answer all that is answered today. Absent: `refuse`. */
export const breakingContractSchema = z.union([
  z.literal('refuse'),
  z.strictObject({
    /**
     * Everything moves at once, and requests of the old contract are refused from then on. It may happen within these
     * moments only.
     */
    cutOver: z.strictObject({
      from: z.iso.datetime(),
      until: z.iso.datetime(),
      /** What callers were told, and by when. */
      reason: z.string().trim().min(1).max(500),
    }),
  }),
]);
export type BreakingContract = z.infer<typeof breakingContractSchema>;

export interface ContractRuling {
  /** Why the version must not come in; null where it may. */
  refused: string | null;
  /** The moment of the declared cut-over, while it is still to come. */
  notBefore: string | null;
}

/** Whether a version may take the place of what is served, as far as callers are concerned. */
export function ruleOnContract(
  { verdict, changes }: ContractCompatibility,
  consent: BreakingContract = 'refuse',
  strategy: RolloutStrategy,
  now: Date,
): ContractRuling {
  const refuse = (refused: string): ContractRuling => ({ refused, notBefore: null });
  if (verdict !== 'breaking') return { refused: null, notBefore: null };
  const broken = changes.filter((change) => change.breaking);
  const named = broken
    .map(({ feature, effect, remedy }) => `${feature} ${effect}.${remedy === null ? '' : ` ${remedy}`}`)
    .join(' ');
  if (consent === 'refuse')
    return refuse(
      `requests that are answered today would be refused, or answered with something else: ${named} Or ` +
        'declare a cut-over: promotion.breakingContract.',
    );
  const { from, until } = consent.cutOver;
  if (strategy !== 'direct')
    return refuse(
      'its contract is breaking, and the policy declares a cut-over, which moves everything at once; the ' +
        `strategy is ${strategy}. Set rollout.strategy to direct.`,
    );
  if (now >= new Date(until))
    return refuse(
      `its contract is breaking, and the declared cut-over ended at ${until}. Declare another: ` +
        'promotion.breakingContract.',
    );
  return { refused: null, notBefore: now < new Date(from) ? from : null };
}
