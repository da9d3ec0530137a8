import postgres from 'postgres';
import { note, ok, problem, type Check } from '../../../oversight/check.js';
import { messageOf } from '../../../domain/errors.js';

/** Whether the role of the application could change facts: then only triggers hold them. */
export async function databaseRoleCheck(databaseUrl: string): Promise<Check> {
  const sql = postgres(databaseUrl, { max: 1, connect_timeout: 5, fetch_types: false, onnotice: () => undefined });
  try {
    const [found] = await sql<{ role: string; migrated: boolean; changes: boolean; guarded: boolean }[]>`
      select current_user as role, to_regclass('routes') is not null as migrated,
        coalesce(has_table_privilege(to_regclass('routes'), 'update'), false) as changes,
        exists (select from pg_trigger where tgrelid = to_regclass('routes')
        and tgname = 'perdure_append_only_rows') as guarded`;
    if (!found?.migrated) return ok('database role', 'no tables yet; the first start creates them');
    if (!found.guarded)
      return problem(
        'database role',
        'facts are not protected from changes: the triggers are missing',
        'Start the stack: it creates them.',
      );
    if (!found.changes) return ok('database role', `${found.role} may add facts but not change them`);
    return note(
      'database role',
      `${found.role} owns the tables or may change every row: only triggers protect facts`,
      'Give the application its own role in PERDURE_DATABASE_URL, and the owner in ' +
        'PERDURE_MIGRATION_DATABASE_URL.',
    );
  } catch (error) {
    return problem('database role', messageOf(error), 'See the line on PostgreSQL.');
  } finally {
    await sql.end({ timeout: 1 });
  }
}
