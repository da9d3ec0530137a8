import type { Environment } from '../../../domain/names.js';
import { changeFacts, type TestDatabase } from '../../support/test-database.js';

/**
 * A day for each number from one to another: of three models a version with its run, its promotion and its rollout of
 * five routes and thirty looks.
 */
export async function liveThrough(
  database: TestDatabase,
  { environment, model }: { environment: Environment; model: string },
  [from, until]: [number, number],
): Promise<void> {
  await changeFacts(database.ownerUrl, async (sql) => {
    await sql`set session_replication_role = replica`;
    const days = sql`generate_series(${from}::int, ${until}::int) n, unnest(array[${model}, 'other-1',
      'other-2']) model`;
    const at = sql`now() - make_interval(days => ${until} - n)`;
    await sql`
      insert into versions (model, version, run_id, definition_sha256, snapshot_sha256, artifact_sha256,
      artifact_key, signature, metrics, gates, evaluation_key, lineage)
      select model, n, model || n, 'd', 's' || n, 'a', 'k', '{}', '{}', '[]', 'e', '{}' from ${days}`;
    await sql`
      insert into runs (id, workflow_id, model, definition_sha256, cause, scheduled_for, started_at, finished_at,
      outcome, snapshot_sha256)
      select model || n, 'w', model, 'd', jsonb_build_object('kind', 'schedule', 'id', case n % 50
      when 0 then 'rare' else 'daily' end),
        ${at}, ${at}, ${at}, 'registered', model || n from ${days}`;
    await sql`insert into run_steps (run_id, step, started_at) select model || n, step, ${at}
      from ${days}, unnest(array['a', 'b', 'c']) step`;
    await sql`insert into snapshots (sha256, model, manifest_key, manifest) select model || n, model, 'k', '{}'
      from ${days}`;
    await sql`insert into version_archivals (model, version, archived, actor, reason)
      select model, n, true, 'a', 'r' from ${days}`;
    await sql`
      insert into partitions (model, partition, inputs_sha256, state, report_key, summary, rows, positives,
      validated_at)
      select model, to_char(${at}, 'YYYY-MM'), 'i' || n, 'quarantined', 'k', 's', 1, 1, ${at} from ${days}`;
    await sql`
      insert into rollouts (id, workflow_id, environment, model, challenger, champion, state, step, started_at,
      finished_at, looks_thinned_at)
      select model || n, 'w', ${environment}, model, n, n - 1, 'completed', 4, ${at}, ${at}, ${at} from ${days}`;
    await sql`
      insert into rollout_looks (rollout_id, look, step, at, inputs_sha256, result)
      select model || n, look, 0, ${at}, 's', '{}' from ${days}, generate_series(1, 30) look`;
    await sql`
      insert into promotions (id, workflow_id, model, version, environment, requested_by, state, requested_at,
      closed_at)
      select model || n, 'w' || n, model, n, ${environment}, 'rita', 'promoted', ${at}, ${at} from ${days}`;
    await sql`
      insert into promotion_decisions (promotion_id, sequence, actor, decision, comment, via, counted, reason, at)
      select model || n, 1, 'a', 'approve', 'c', 'update', true, 'r', ${at} from ${days}`;
    await sql`
      insert into rollout_steering (id, rollout_id, command, actor, reason, via, stage, accepted, answer)
      select model || n, model || n, 'pause', 'a', 'r', 'update', 0, true, 'yes' from ${days}`;
    await sql`insert into look_inputs (rollout_id, look, inputs) select model || n, look, '{}'
      from ${days}, generate_series(1, 30, 10) look`;
    await sql`
      insert into routes (environment, model, epoch, idempotency_key, split, reason, kind, rollout_id, lease_token, at)
      select ${environment}, model, 5 * n + stage, model || n || '/step-' || stage,
        jsonb_build_array(jsonb_build_object('version', n, 'sharePct', 100)), 'r', 'stage', model || n, 1, ${at}
      from ${days}, generate_series(0, 4) stage`;
    await sql`
      insert into gateway_events (id, gateway_id, environment, model, kind, message, at)
      select model || n || '-' || event, 'g', ${environment}, model, 'refused', 'why', ${at}
      from ${days}, generate_series(1, 20) event`;
    const counts = sql`now(), now(), 1, 0, array[1, 2]::bigint[], array[1]::bigint[]`;
    await sql`
      insert into serving_totals (environment, model, version, epoch, role, cold, "from", "to", requests, errors,
      latency, scores)
      select ${environment}, model, n, 5 * n + stage, 'split', false, ${counts}
      from ${days}, generate_series(0, 4) stage`;
    await sql`
      insert into serving_rollups (environment, model, version, epoch, role, cold, grain, bucket, "from", "to",
      requests, errors, latency, scores)
      select ${environment}, model, n, 5 * n, 'split', false, 'day', date_trunc('hour',
      ${at}) - make_interval(hours => hour), ${counts}
      from ${days}, generate_series(0, 20) hour`;
    await sql`update current_routes set epoch = ${5 * until + 4} where model in (${model}, 'other-1', 'other-2')`;
    await sql`analyze`;
  });
}
