import { quoteName } from '../quote-sql.js';
import type { PlannedAggregate } from './plan-aggregates.js';

/** The call of an aggregate, but for `first` and `last`. */
export function aggregateCall(
  fn: PlannedAggregate['fn'],
  of: string,
  ordered: (sql: string) => string = (sql) => sql,
): string {
  switch (fn) {
    case 'count':
      return `count(${of})`;
    case 'countDistinct':
      return `count(DISTINCT ${of})`;
    case 'sum':
      return `sum(${ordered(of)})`;
    case 'mean':
      return `avg(${ordered(of)})`;
    case 'stddev':
      return `stddev_samp(${ordered(of)})`;
    case 'median':
      return `quantile_cont(${of}, 0.5)`;
    case 'min':
    case 'max':
    case 'first':
    case 'last':
      return `${fn}(${of})`;
  }
}

/** A colon keeps keys apart from every declared name. */
export const keyColumn = (index: number): string => quoteName(`key:${index}`);
