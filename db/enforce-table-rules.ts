import type postgres from 'postgres';
import { privileges, tableRules, type TableRule } from './table-rules.js';

/**
 * Set in the session that migrates, where a migration must change rows that nobody else may change. It counts for the
 * tables' owner only.
 */
export const migrating = 'perdure.migrating';

const refuse = `
  create or replace function perdure_refuse_change() returns trigger language plpgsql as $$
  begin
    if current_setting('${migrating}', true) = 'on'
      and pg_has_role(current_user, (select relowner from pg_class where oid = tg_relid), 'usage') then
      if tg_op = 'UPDATE' then return new; elsif tg_op = 'DELETE' then return old; else return null; end if;
    end if;
    raise exception '% of % is refused: its rows are facts, which are added to and never changed', tg_op, tg_table_name
      using errcode = 'restrict_violation';
  end $$`;

interface Guard {
  when: string;
  of: readonly TableRule[];
}
const triggers: Readonly<Record<string, Guard>> = {
  perdure_append_only_rows: { when: 'before update or delete on TABLE for each row', of: ['append-only'] },
  perdure_unchanged_rows: { when: 'before update on TABLE for each row', of: ['expire'] },
  perdure_append_only_table: { when: 'before truncate on TABLE for each statement', of: ['append-only', 'expire'] },
};

/**
 * Makes the database itself hold the rules of its tables: triggers for everybody, grants for the role of the
 * application. Repeating it changes nothing.
 */
export async function enforceTableRules(sql: postgres.Sql, applicationRole: string | undefined): Promise<void> {
  const present = await sql<{ table: string; trigger: string }[]>`
    select tgrelid::regclass::text as table, tgname as trigger from pg_trigger
    where tgname in ${sql(Object.keys(triggers))}`;
  await sql.begin(async (tx) => {
    await tx.unsafe(refuse);
    for (const { table, rule } of tableRules) {
      for (const [trigger, { when, of }] of Object.entries(triggers)) {
        const there = present.some((one) => one.table === table && one.trigger === trigger);
        if (of.includes(rule) && !there)
          await tx.unsafe(
            `create trigger ${trigger} ${when.replace('TABLE', `"${table}"`)} execute function ` +
              'perdure_refuse_change()',
          );
        if (!of.includes(rule) && there) await tx.unsafe(`drop trigger ${trigger} on "${table}"`);
      }
    }
    if (applicationRole === undefined) return;
    const role = await tx`select quote_ident(${applicationRole}) as name`.then(([row]) => String(row?.['name']));
    await tx.unsafe(`
      grant usage on schema public, drizzle to ${role};
      revoke create on schema public from ${role};
      grant select on drizzle.__drizzle_migrations to ${role};
      ${tableRules
        .map(
          ({ table, rule }) =>
            `revoke all on "${table}" from ${role}; grant ${privileges[rule]} on "${table}" to ${role};`,
        )
        .join('\n')}`);
  });
}
