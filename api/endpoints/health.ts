import { sql } from 'drizzle-orm';
import { healthSchema, type Reachability } from '../../client/http/health.js';
import type { EndpointGroup } from '../endpoint-group.js';

/** A server that has not answered by then counts as away; supervisors give the whole request a few seconds. */
const patienceMs = 2_000;

/** `GET /health`: 200 as long as the process lives, and which of its servers answer. */
export const healthEndpoints: EndpointGroup = (app, deps) => {
  app.get('/health', { logLevel: 'warn', schema: { tags: ['health'], response: { 200: healthSchema } } }, async () => {
    const [database, temporal, s3] = await Promise.all([
      reach(() => deps.db.orm.execute(sql`select 1`)),
      reach(() => deps.pingTemporal()),
      reach(() => deps.objects.ping()),
    ]);
    const all = [database, temporal, s3].every((one) => one.reachable);
    return { status: all ? ('ok' as const) : ('degraded' as const), servers: { database, temporal, s3 } };
  });
};

async function reach(ask: () => PromiseLike<unknown>): Promise<Reachability> {
  const began = performance.now();
  const since = () => Math.round((performance.now() - began) * 10) / 10;
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${patienceMs / 1000} s`)), patienceMs);
  });
  try {
    await Promise.race([ask(), late]);
    return { reachable: true, latencyMs: since(), error: null };
  } catch (error) {
    return { reachable: false, latencyMs: since(), error: rootMessage(error) };
  } finally {
    clearTimeout(timer);
  }
}

/** The innermost cause says what happened; the outer ones repeat the query. */
function rootMessage(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return rootMessage(error.cause);
  return error.message || error.name;
}
