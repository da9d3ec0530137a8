import { cadenceIn, cadenceWords } from '../cadence.js';
import { partitionAt, partitionBounds, timeZoneIn } from '../calendar/partition-bounds.js';
import { addPartitions, countPartitions, partitionRange, type Partition } from '../partition.js';
import type { Contract } from './contract.js';
import { windowIn, type DataPolicy } from './data-policy.js';
import type { DefinitionProblem } from '../definition-problem.js';
import { reachUs, type Join } from './join.js';

/** As many partitions before its own are read of a table at most. `docs/data.md` says so. */
export const lookBackMax = 1000;

/** Where partitions go by columns of the data, event times lie so near to theirs: every zone is nearer to UTC. */
const slackMs = 86_400_000;

type Data = Pick<DataPolicy, 'base' | 'cadence' | 'joins' | 'tables' | 'timeZone' | 'window'>;

export interface LookingBack {
  contract: Pick<Contract, 'eventTime'>;
  data: Data;
}

/**
 * The partitions of a table that are read for a partition of the base beside its own, which as-of joins look back on:
 * as far as their tolerances and windows reach, or from the beginning of the training window on where one of them has
 * none. A moment of its own (`leftTime`) may lie anywhere before: that reads from the beginning too.
 */
export function earlierPartitions({ contract, data }: LookingBack, table: string, partition: Partition): Partition[] {
  if (!data.tables[table]?.partitioned) return [];
  const looking = data.joins.filter((join) => join.table === table && join.asOf);
  if (looking.length === 0) return [];
  const reaches = looking.map((join) => firstReached(data, join, partition, contract.eventTime));
  const first = reaches.reduce((earliest, one) => (one < earliest ? one : earliest));
  const [bound, last] = [addPartitions(partition, -lookBackMax), addPartitions(partition, -1)];
  return partitionRange(first < bound ? bound : first, last);
}

function firstReached(data: Data, join: Join, partition: Partition, eventTime: string): Partition {
  const reach = reachUs(join);
  const bounds = partitionBounds(partition, timeZoneIn(data));
  const moment = join.asOf?.leftTime ?? eventTime;
  if (reach === undefined || bounds === undefined || moment !== eventTime) return windowIn(data).from;
  const slack = data.cadence === undefined ? slackMs : 0;
  return partitionAt(bounds.start - slack - Math.ceil(reach / 1000), cadenceIn(data), timeZoneIn(data));
}

/** Joins that reach back over more partitions than are read. */
export function lookBackProblems({ contract, data }: LookingBack): DefinitionProblem[] {
  return data.joins.flatMap((join, index) => {
    if (!join.asOf || !data.tables[join.table]?.partitioned || reachUs(join) === undefined) return [];
    const { from } = windowIn(data);
    const count = countPartitions(firstReached(data, join, from, contract.eventTime), addPartitions(from, -1));
    if (count <= lookBackMax) return [];
    const path = `data.joins[${index}].${join.aggregate ? 'window' : 'asOf'}`;
    const { many } = cadenceWords[cadenceIn(data)];
    return [{ path, message: `reaches back over ${count} ${many}; at most ${lookBackMax} are read` }];
  });
}
