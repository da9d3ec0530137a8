import { z } from 'zod';
import type { Contract } from './contract.js';
import type { DefinitionProblem } from '../definition-problem.js';
import { columnNameSchema } from '../names.js';

const divided = {
  /** `random` by a hash of the entity; `group` by a hash of the group's column, whole groups. */
  by: z.enum(['time', 'random', 'group']),
  group: columnNameSchema.optional(),
  /** Of a random one: the same share of each class of the label. */
  stratify: z.boolean().optional(),
  seed: z.number().int().min(0).max(2_147_483_647).optional(),
};

/** How the rows of a window are divided into those that train and those that test. */
export const splitPolicySchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('last'), partitions: z.number().int().min(1).max(1000) }),
  z.strictObject({ kind: z.literal('share'), holdoutPct: z.number().min(1).max(90), ...divided }),
  /** Cross-validation: a model that has not seen a fold tests it; by time, one trained on what came before. */
  z.strictObject({ kind: z.literal('folds'), folds: z.number().int().min(2).max(20), ...divided }),
]);
export type SplitPolicy = z.infer<typeof splitPolicySchema>;
/** A split that goes through partitions. */
export type RowSplit = Exclude<SplitPolicy, { kind: 'last' }>;

interface SplitData {
  split?: SplitPolicy | undefined;
  holdoutPartitions?: number | undefined;
}

/** A definition without a split holds out the last partition. */
export const splitIn = ({ split, holdoutPartitions = 1 }: SplitData): SplitPolicy =>
  split ?? { kind: 'last', partitions: holdoutPartitions };

/** How many partitions a window needs at least. */
export const partitionsNeeded = (split: SplitPolicy): number => (split.kind === 'last' ? split.partitions + 1 : 1);

/**
 * Whether a row stays on its side whatever other rows there are: then two snapshots of one definition never train on
 * what the other one holds out.
 */
export const isStable = (split: RowSplit): boolean =>
  split.kind === 'share' && split.by !== 'time' && split.stratify !== true;

/** A split in words, for summaries and cards. */
export function describeSplit(split: RowSplit): string {
  const { by, group, stratify } = split;
  const how = { time: 'by time', random: 'by chance', group: `by whole ${group}` }[by];
  const strata = stratify ? ', stratified by the label' : '';
  return split.kind === 'share'
    ? `${split.holdoutPct} % held out ${how}${strata}`
    : `${split.folds} folds ${how}${strata}`;
}

/** What is wrong with a split for this contract. */
export function splitProblems(
  data: SplitData & { cadence?: string | undefined },
  contract: Contract,
): DefinitionProblem[] {
  const { split } = data;
  const problems: DefinitionProblem[] = [];
  const say = (field: string, message: string) => problems.push({ path: `data.split${field}`, message });
  if (data.cadence === 'static' && (split === undefined || split.kind === 'last'))
    say('', "static data has one partition, which cannot be held out: divide its rows with kind 'share' or 'folds'");
  if (split === undefined || split.kind === 'last') return problems;
  const { by, group, stratify, seed } = split;
  const groups = [...contract.entity, ...Object.keys(contract.features)];
  if (by === 'group' && group === undefined) say('.group', 'is missing: name the column whose rows stay together');
  if (by !== 'group' && group !== undefined) say('.group', `is for by: 'group'; this one is by ${by}`);
  if (group !== undefined && !groups.includes(group))
    say('.group', `${group} is neither in contract.entity nor in contract.features: only those columns are kept`);
  if (stratify === true && by !== 'random') say('.stratify', `is for by: 'random'; this one is by ${by}`);
  if (stratify === true && (contract.label === undefined || contract.label.type === 'number'))
    say('.stratify', 'needs a label of classes');
  if (seed !== undefined && by === 'time') say('.seed', 'a split by time has no chance in it: leave the seed out');
  return problems;
}
