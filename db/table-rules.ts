import { getTableName } from 'drizzle-orm';
import * as schema from './schema/index.js';

/**
 * What may happen to a table's rows: `append-only` rows are facts that are added to and never changed; rows that `change` move as
 * `domain/state-moves.ts` allows; those that `come-and-go` are copies and leases that nobody needs for long.
 */
export type TableRule = 'append-only' | 'change' | 'come-and-go';

/** Every table has a rule: a new one does not compile without. Grants and triggers are made from this list after each migration. */
const rules = {
  definitions: 'append-only',
  gatewayAcknowledgements: 'change',
  gatewayEvents: 'append-only',
  gateways: 'come-and-go',
  lakeObjects: 'come-and-go',
  leases: 'change',
  models: 'change',
  partitions: 'change',
  promotionDecisions: 'append-only',
  promotions: 'change',
  rolloutLooks: 'append-only',
  rollouts: 'change',
  routes: 'append-only',
  runs: 'change',
  runSteps: 'change',
  servingWindows: 'append-only',
  snapshots: 'append-only',
  stores: 'append-only',
  versionArchivals: 'append-only',
  versions: 'append-only',
  watermarks: 'change',
} satisfies Record<keyof typeof schema, TableRule>;

const tables = new Map(Object.entries(schema));

export const tableRules: readonly { table: string; rule: TableRule }[] = Object.entries(rules).flatMap(([name, rule]) => {
  const table = tables.get(name);
  return table ? [{ table: getTableName(table), rule }] : [];
});

/** What the application may do with a table. */
export const privileges: Readonly<Record<TableRule, string>> = {
  'append-only': 'select, insert',
  change: 'select, insert, update',
  'come-and-go': 'select, insert, update, delete',
};
