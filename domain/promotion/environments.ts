import { z } from 'zod';
import type { DefinitionProblem } from '../definition-problem.js';
import { PerdureError } from '../errors.js';
import { environmentSchema, type Environment } from '../names.js';

/**
 * Which of a model's rows a run takes that names the environment. `all` and `snapshot` are production's data, whole: a
 * snapshot is what lies in the lake when the run begins, pinned by digests. A `sample` is so many of its rows.
 */
export const environmentDataSchema = z.discriminatedUnion('kind', [
  z.strictObject({ kind: z.literal('all') }),
  z.strictObject({ kind: z.literal('snapshot') }),
  z.strictObject({
    kind: z.literal('sample'),
    /** Of the whole window together, training and holdout. */
    rows: z.number().int().min(1).max(1_000_000_000),
    /** Another seed takes other rows. */
    seed: z.number().int().min(0).max(4_294_967_295),
  }),
]);
export type EnvironmentData = z.infer<typeof environmentDataSchema>;

/** An environment as the configuration lists it. */
export const environmentSettingSchema = z.strictObject({
  name: environmentSchema,
  /** `on-demand`: its gateway starts when something first asks for it. */
  gateway: z.enum(['always', 'on-demand']),
  data: environmentDataSchema,
});
export type EnvironmentSetting = z.infer<typeof environmentSettingSchema>;

/** In the order in which a version goes through them. */
export type Environments = readonly EnvironmentSetting[];

type Named = readonly Pick<EnvironmentSetting, 'name'>[];

const listed = (environments: Named): string => environments.map(({ name }) => name).join(', ');

/** Where something is done that names no environment: production, or the last of a list that has none. */
export const defaultEnvironment = (environments: Named): Environment =>
  environments.find(({ name }) => name === 'production')?.name ?? environments.at(-1)?.name ?? 'production';

/** Why nothing can be asked of an environment; null where it is listed. */
export const whyUnknown = (environments: Named, environment: Environment): string | null =>
  environments.some(({ name }) => name === environment)
    ? null
    : `there is no environment ${environment}: perdure.config.ts lists ${listed(environments)}`;

/** @throws PerdureError `input/invalid` that names the environments that there are. */
export function knownEnvironment<Setting extends Pick<EnvironmentSetting, 'name'>>(
  environments: readonly Setting[],
  environment: Environment,
): Setting {
  const found = environments.find(({ name }) => name === environment);
  if (found) return found;
  throw new PerdureError('input/invalid', `environment: ${whyUnknown(environments, environment)}.`, { environment });
}

/** What is wrong with the environments that a definition names, by those that there are and their order. */
export function environmentProblems(named: readonly Environment[], environments: Named): DefinitionProblem[] {
  const unknown = named.flatMap((environment, index) => {
    const message = whyUnknown(environments, environment);
    return message === null ? [] : [{ path: `promotion.environments[${index}]`, message }];
  });
  if (unknown.length > 0) return unknown;
  const place = (environment: Environment) => environments.findIndex(({ name }) => name === environment);
  const early = named.findIndex(
    (environment, index) => index > 0 && place(environment) < place(named[index - 1] ?? ''),
  );
  if (early === -1) return [];
  const [first, second] = [named[early - 1], named[early]];
  return [
    {
      path: 'promotion.environments',
      message:
        `${first} would serve a version before ${second} does: list ${second} first, as perdure.config.ts does ` +
        `(${listed(environments)})`,
    },
  ];
}
