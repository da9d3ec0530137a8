import type { ContractCompatibility } from '../../domain/data/contract-compatibility.js';
import { compatibilityText } from '../../domain/data/contract-compatibility.js';

/** What callers would find, for people: the verdict against what is served, each change, and what to do about it. */
export function describeContract(
  contract: ContractCompatibility & { against: readonly number[]; refused?: string | null },
): string {
  const { against, changes, refused = null } = contract;
  if (against.length === 0) return 'nothing is served yet: no caller depends on it';
  const served = `with version ${against.join(' and ')}, which ${against.length === 1 ? 'is' : 'are'} served`;
  const lines = changes.map(({ feature, change, effect, breaking, remedy }) =>
    [`  ${breaking ? '✗' : '·'} ${feature} (${change}) ${effect}.`, remedy].filter((part) => part !== null).join(' '),
  );
  const end =
    refused === null || contract.verdict !== 'breaking'
      ? []
      : ['  A version trained with it would not be promoted: see promotion.breakingContract.'];
  return [
    `${compatibilityText(contract)} ${contract.verdict === 'breaking' ? `(${served})` : served}`,
    ...lines,
    ...end,
  ].join('\n');
}
