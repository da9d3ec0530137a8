import { z } from 'zod';
import { sendRequest } from '../../../client/http/send-request.js';
import { ok, problem, type Check } from '../../../oversight/check.js';

const statusSchema = z.object({
  unconfirmed: z.array(z.object({ model: z.string(), epoch: z.number() })),
  spool: z.record(z.string(), z.object({ writable: z.boolean() })),
});

/** What gateways say of themselves that a person should act on. One that does not answer is its component's matter. */
export async function gatewayChecks(gateways: Readonly<Record<string, string>>): Promise<Check[]> {
  const checks = await Promise.all(
    Object.entries(gateways).map(async ([environment, url]) => {
      const status = await sendRequest(new URL('/v1/status', url), { timeoutMs: 3_000 })
        .then(({ bytes }) => statusSchema.parse(JSON.parse(new TextDecoder().decode(bytes))))
        .catch(() => undefined);
      return status === undefined ? [] : checksOf(environment, status);
    }),
  );
  return checks.flat();
}

function checksOf(environment: string, { unconfirmed, spool }: z.infer<typeof statusSchema>): Check[] {
  const name = `routes of ${environment}`;
  const kept = unconfirmed.map(({ model }) => model);
  const unwritable = Object.entries(spool).flatMap(([log, { writable }]) => (writable ? [] : [log]));
  return [
    kept.length === 0
      ? ok(name, 'all known to the database')
      : problem(
          name,
          `${kept.slice(0, 10).join(', ')}${kept.length > 10 ? ` and ${kept.length - 10} more` : ''}: ` +
            `served, and the database has no route for ${kept.length === 1 ? 'it' : 'them'}`,
          'If the database is the wrong one or empty, restore it; to stop serving a model: npx ' +
            `perdure routes let-go MODEL --env ${environment} --reason "…"`,
        ),
    ...unwritable.map((log) =>
      problem(
        `spool of ${environment}`,
        `the disk takes no ${log}`,
        'Free space for the state folder; the gateway then continues automatically.',
      ),
    ),
  ];
}
