import type { Database } from '../../db/connect.js';
import type { SettledRollout } from '../../domain/rollout/rollout-plan.js';
import type {
  AcknowledgementRow,
  DecisionRow,
  Facts,
  LeaseRow,
  PromotionRow,
  RolloutRow,
  RouteRow,
  Written,
} from './facts.js';

const tables = [
  'routes',
  'leases',
  'gateway_acknowledgements',
  'rollouts',
  'promotions',
  'promotion_decisions',
] as const;

/** Has Postgres note every write to the tables that matter, in its order: what was overwritten is seen too. */
export async function recordWrites({ sql }: Database): Promise<void> {
  await sql.unsafe(`
    create table drill_writes (seq bigint generated always as identity primary key, table_name text not null,
    change text not null, written jsonb not null);
    create function note_drill_write() returns trigger language plpgsql security definer as $$
      begin
        insert into drill_writes (table_name, change, written) values (tg_table_name, tg_op, to_jsonb(case
        when tg_op = 'DELETE' then old else new end));
        return null;
      end $$;
    ${tables
      .map(
        (table) => `create trigger note_drill_write after insert or update or delete on ${table}
      for each row execute function note_drill_write();`,
      )
      .join('\n')}`);
}

/** A row as Postgres has it, in its own column names. */
type Columns = Record<string, unknown>;

/** All writes so far. */
export async function readWrites({ sql }: Database): Promise<Omit<Facts, 'told' | 'asked' | 'replays' | 'probes'>> {
  const all = await sql<{ seq: string; table_name: string; change: Written<unknown>['change']; written: Columns }[]>`
    select seq, table_name, change, written from drill_writes order by seq`;
  const of = <Row>(table: (typeof tables)[number], rowOf: (columns: Columns) => Row): Written<Row>[] =>
    all
      .filter((one) => one.table_name === table)
      .map(({ seq, change, written }) => ({ order: Number(seq), change, row: rowOf(written) }));
  return {
    routes: of('routes', (one) => camel(one) as unknown as RouteRow),
    leases: of('leases', (one) => camel(one) as unknown as LeaseRow),
    acknowledgements: of('gateway_acknowledgements', (one) => camel(one) as unknown as AcknowledgementRow),
    rollouts: of(
      'rollouts',
      (one) =>
        ({ ...camel(one), stages: (one['settled'] as SettledRollout | null)?.stages ?? [] }) as unknown as RolloutRow,
    ),
    promotions: of('promotions', (one) => camel(one) as unknown as PromotionRow),
    decisions: of('promotion_decisions', (one) => camel(one) as unknown as DecisionRow),
  };
}

/** `lease_token` becomes `leaseToken`; what is inside of values stays. */
function camel(columns: Columns): Columns {
  const renamed = (name: string) => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(columns).map(([name, value]) => [renamed(name), value]));
}
