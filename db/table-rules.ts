import { getTableName } from 'drizzle-orm';
import * as schema from './schema/index.js';

/**
 * What may happen to a table's rows: `append-only` rows are facts that are added to and never changed; rows that
 * `change` move as `domain/state-moves.ts` allows; those that `expire` are never changed and removed when they are old;
 * those that `come-and-go` are copies, sums and leases that nobody needs for long.
 */
export type TableRule = 'append-only' | 'change' | 'expire' | 'come-and-go';

/** Every table has a rule, a test says so; grants and triggers are made from this list after each migration. */
const rules = {
  championRecords: 'come-and-go',
  compactionDays: 'come-and-go',
  currentRoutes: 'change',
  definitions: 'append-only',
  gatewayAcknowledgements: 'come-and-go',
  gatewayEvents: 'expire',
  gateways: 'come-and-go',
  lakeChanges: 'append-only',
  lakeObjects: 'come-and-go',
  lakePlaces: 'change',
  lakeUncounted: 'come-and-go',
  leases: 'change',
  lookInputs: 'expire',
  models: 'change',
  partitions: 'change',
  promotionDecisions: 'append-only',
  promotions: 'change',
  retentionRuns: 'change',
  rolloutLooks: 'append-only',
  rollouts: 'change',
  rolloutSteering: 'append-only',
  routeReleases: 'append-only',
  routeRevisions: 'change',
  routes: 'append-only',
  runs: 'change',
  runSteps: 'change',
  servingMarks: 'come-and-go',
  servingRollups: 'come-and-go',
  servingTotals: 'come-and-go',
  servingWindows: 'expire',
  snapshots: 'append-only',
  stores: 'append-only',
  versionArchivals: 'append-only',
  versions: 'append-only',
  watermarks: 'change',
} satisfies Partial<Record<keyof typeof schema, TableRule>>;

const ruleOf: Partial<Record<string, TableRule>> = rules;

/** Names of tables that the list above forgets: they may change until it says more. */
export const tablesWithoutRule = Object.keys(schema).filter((name) => ruleOf[name] === undefined);

export const tableRules: readonly { table: string; rule: TableRule }[] = Object.entries(schema).map(
  ([name, table]) => ({
    table: getTableName(table),
    rule: ruleOf[name] ?? 'change',
  }),
);

/** What the application may do with a table. */
export const privileges: Readonly<Record<TableRule, string>> = {
  'append-only': 'select, insert',
  change: 'select, insert, update',
  expire: 'select, insert, delete',
  'come-and-go': 'select, insert, update, delete',
};
