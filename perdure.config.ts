import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { environmentSettingSchema, type EnvironmentSetting } from './domain/promotion/environments.js';
import type { Environment } from './domain/names.js';
import { floorSchema, type FloorsInput } from './domain/promotion/floor.js';
import type { ActivityQueue } from './domain/task-queues.js';
import { trainingsPerModelLimit } from './domain/training/admission.js';
import type { TrainingLimits } from './domain/training/training-limits.js';
import { runPriorities } from './domain/training/run-priority.js';
import { decisionTrusts, type DecisionTrust } from './domain/decision-trust.js';
import { describeIssues } from './domain/schema-issue.js';

/**
 * Everything but Temporal that a process reads from its environment, parsed once at its start. Temporal's part is in
 * `temporal.config.ts`.
 */

const projectRoot = path.dirname(fileURLToPath(import.meta.url));

const port = (fallback: number) => z.coerce.number().int().min(1).max(65_535).default(fallback);

/** Turns among runs of the training pipeline; each has a variable. */
export const TRAINING: TrainingLimits = { perModelMax: 1, highestPriority: 2 };

const portNumber = z.number().int().min(1).max(65_535);
const configuredEnvironmentSchema = environmentSettingSchema.extend({
  /** Of its gateway; the variables `PERDURE_GATEWAY_<NAME>_PORT` and `…_GRPC_PORT` say others. */
  ports: z.strictObject({ rest: portNumber, grpc: portNumber }),
  floor: floorSchema,
});

/**
 * The environments, in the order in which a version goes through them. `floor` is what each asks of every definition,
 * whatever the definition says: what is not named is not asked. docs/operations.md lists it all.
 */
export const ENVIRONMENTS: readonly z.input<typeof configuredEnvironmentSchema>[] = [
  {
    name: 'development',
    gateway: 'on-demand',
    ports: { rest: 7414, grpc: 7415 },
    data: { kind: 'sample', rows: 20_000, seed: 42 },
    floor: {},
  },
  {
    name: 'staging',
    gateway: 'always',
    ports: { rest: 7412, grpc: 7413 },
    data: { kind: 'snapshot' },
    floor: {},
  },
  {
    name: 'production',
    gateway: 'always',
    ports: { rest: 7410, grpc: 7411 },
    data: { kind: 'all' },
    floor: {
      approvals: { count: 1 },
      judge: { metrics: ['errorShare'], alphaMax: 0.2 },
      confidencePctMin: 90,
      newestHoldout: true,
    },
  },
];

const variablesSchema = z.object({
  PERDURE_HOME: z.string().min(1).default('.perdure'),
  PERDURE_HOST: z.string().min(1).default('127.0.0.1'),
  /**
   * Names beside its own under which the control API and the gateways are called: `name` or `name:port`, separated by
   * commas.
   */
  PERDURE_ALLOWED_HOSTS: z.string().optional(),
  PERDURE_API_PORT: port(7400),
  PERDURE_TEMPORAL_PORT: port(7233),
  PERDURE_TEMPORAL_UI_PORT: port(8233),
  PERDURE_POSTGRES_PORT: port(7432),
  PERDURE_S3_PORT: port(7433),
  /** Set to bring your own server; absent means the embedded one. */
  PERDURE_DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  /** The role that owns the tables and migrates them, where it is another one. Processes of the stack never see it. */
  PERDURE_MIGRATION_DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  PERDURE_S3_ENDPOINT: z.url({ protocol: /^https?$/ }).optional(),
  PERDURE_S3_BUCKET: z
    .string()
    .regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be a bucket name of 3 to 63 lower-case characters')
    .default('perdure'),
  PERDURE_S3_REGION: z.string().min(1).default('us-east-1'),
  AWS_ACCESS_KEY_ID: z.string().optional(),
  AWS_SECRET_ACCESS_KEY: z.string().optional(),
  PERDURE_ACCESS_FILE: z.string().min(1).default('access.json'),
  PERDURE_TRAININGS_PER_MODEL_MAX: z.coerce
    .number()
    .int()
    .min(1)
    .max(trainingsPerModelLimit)
    .default(TRAINING.perModelMax),
  PERDURE_TRAINING_PRIORITY_HIGHEST: z.coerce
    .number()
    .int()
    .min(runPriorities.first)
    .max(runPriorities.last)
    .default(TRAINING.highestPriority),
  /** A JSON file with the floors of environments, in place of those below. */
  PERDURE_FLOORS_FILE: z.string().min(1).optional(),
  /**
   * Whose word is taken for who decided on a promotion. `frontend` trusts whoever can write to the Temporal frontend:
   * for development.
   */
  PERDURE_DECISION_TRUST: z.enum(decisionTrusts).default('frontend'),
  /** The control API's private Ed25519 key. */
  PERDURE_SIGNING_KEY_FILE: z.string().min(1).optional(),
  /** The public keys that workers believe. */
  PERDURE_VERIFYING_KEYS_FILE: z.string().min(1).optional(),
  /** Keys the hashes of callers' keys in prediction logs; absent means the stack's own. */
  PERDURE_KEY_HASH_SECRET: z.string().min(16).optional(),
  /** Which stack a process belongs to, or a command is meant for. Absent: that of the home. */
  PERDURE_STACK_ID: z.string().min(1).max(100).regex(/^\S+$/, 'must be an id without spaces').optional(),
  PERDURE_LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});

/** How many activities of each queue one worker process runs at a time; each has a variable, PERDURE_WORKER_…_MAX. */
export const WORKER_SLOTS = {
  activities: 20,
  /** They poll and cost next to nothing; each waits for minutes. */
  waits: 500,
  /** Most take a second; one that opens an engine takes up to half a gigabyte. */
  judging: 4,
  /** A second each, or minutes and up to a gigabyte where models are evaluated again. */
  evidence: 2,
  /** An engine or a model's process each, of up to a gigabyte. */
  data: 2,
  training: 1,
} satisfies Record<ActivityQueue, number>;

/** An environment, and where its gateway listens. */
export interface PlacedEnvironment extends EnvironmentSetting {
  port: number;
  grpcPort: number;
  url: string;
  /** host:port, as gRPC clients want it. */
  grpcAddress: string;
}

export interface PerdureConfig {
  /** Absolute path of the checkout. */
  projectRoot: string;
  /** Absolute path of the state folder, `.perdure` unless PERDURE_HOME says otherwise. */
  home: string;
  /** As a variable gives it; undefined where none does. */
  stackId: string | undefined;
  host: string;
  allowedHosts: string | undefined;
  ports: {
    api: number;
    temporal: number;
    temporalUi: number;
    postgres: number;
    s3: number;
  };
  databaseUrl: string | undefined;
  migrationDatabaseUrl: string | undefined;
  s3: {
    endpoint: string | undefined;
    bucket: string;
    region: string;
    accessKeyId: string | undefined;
    secretAccessKey: string | undefined;
  };
  apiUrl: string;
  /** In the order in which a version goes through them. */
  environments: readonly PlacedEnvironment[];
  accessFile: string;
  training: TrainingLimits;
  floors: {
    configured: FloorsInput;
    /** Absolute path; undefined where no file takes their place. */
    file: string | undefined;
  };
  decisions: {
    trust: DecisionTrust;
    /** Absolute paths of key files; undefined where none is named. */
    signingKeyFile: string | undefined;
    verifyingKeysFile: string | undefined;
  };
  keyHashSecret: string | undefined;
  logLevel: string;
}

/** The variables that say where the gateway of an environment listens. */
export const gatewayVariables = (environment: Environment) => {
  const prefix = `PERDURE_GATEWAY_${environment.toUpperCase().replaceAll('-', '_')}`;
  return { port: `${prefix}_PORT`, grpcPort: `${prefix}_GRPC_PORT` };
};

/** @throws an Error that names each wrong variable and what it must be, or what is wrong with `ENVIRONMENTS`. */
export function loadPerdureConfig(
  environment: NodeJS.ProcessEnv = process.env,
  environments: typeof ENVIRONMENTS = ENVIRONMENTS,
): PerdureConfig {
  const listed = readEnvironments(environments);
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = variablesSchema.safeParse(present);
  const placed = gatewayPortsSchema(listed).safeParse(present);
  if (!parsed.success || !placed.success) {
    const issues = [...(parsed.error?.issues ?? []), ...(placed.error?.issues ?? [])];
    const problems = issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
    throw new Error(`The environment is not usable. ${problems.join('; ')}. Correct or unset the variable.`);
  }
  const env = parsed.data;
  return {
    projectRoot,
    home: path.resolve(projectRoot, env.PERDURE_HOME),
    stackId: env.PERDURE_STACK_ID,
    host: env.PERDURE_HOST,
    allowedHosts: env.PERDURE_ALLOWED_HOSTS,
    ports: {
      api: env.PERDURE_API_PORT,
      temporal: env.PERDURE_TEMPORAL_PORT,
      temporalUi: env.PERDURE_TEMPORAL_UI_PORT,
      postgres: env.PERDURE_POSTGRES_PORT,
      s3: env.PERDURE_S3_PORT,
    },
    databaseUrl: env.PERDURE_DATABASE_URL,
    migrationDatabaseUrl: env.PERDURE_MIGRATION_DATABASE_URL,
    s3: {
      endpoint: env.PERDURE_S3_ENDPOINT,
      bucket: env.PERDURE_S3_BUCKET,
      region: env.PERDURE_S3_REGION,
      accessKeyId: env.AWS_ACCESS_KEY_ID,
      secretAccessKey: env.AWS_SECRET_ACCESS_KEY,
    },
    apiUrl: `http://${env.PERDURE_HOST}:${env.PERDURE_API_PORT}`,
    environments: listed.map(({ name, gateway, data }) => {
      const variables = gatewayVariables(name);
      const [port, grpcPort] = [placed.data[variables.port] ?? 0, placed.data[variables.grpcPort] ?? 0];
      const [url, grpcAddress] = [`http://${env.PERDURE_HOST}:${port}`, `${env.PERDURE_HOST}:${grpcPort}`];
      return { name, gateway, data, port, grpcPort, url, grpcAddress };
    }),
    accessFile: path.resolve(projectRoot, env.PERDURE_ACCESS_FILE),
    training: {
      perModelMax: env.PERDURE_TRAININGS_PER_MODEL_MAX,
      highestPriority: env.PERDURE_TRAINING_PRIORITY_HIGHEST,
    },
    floors: {
      configured: Object.fromEntries(listed.map(({ name, floor }) => [name, floor])),
      file: env.PERDURE_FLOORS_FILE && path.resolve(projectRoot, env.PERDURE_FLOORS_FILE),
    },
    decisions: {
      trust: env.PERDURE_DECISION_TRUST,
      signingKeyFile: env.PERDURE_SIGNING_KEY_FILE && path.resolve(projectRoot, env.PERDURE_SIGNING_KEY_FILE),
      verifyingKeysFile: env.PERDURE_VERIFYING_KEYS_FILE && path.resolve(projectRoot, env.PERDURE_VERIFYING_KEYS_FILE),
    },
    keyHashSecret: env.PERDURE_KEY_HASH_SECRET,
    logLevel: env.PERDURE_LOG_LEVEL,
  };
}

type ConfiguredEnvironment = z.infer<typeof configuredEnvironmentSchema>;

/** Names that differ must have variables that differ, from each other and from the gateway's own. */
const environmentsSchema = z
  .array(configuredEnvironmentSchema)
  .min(1)
  .superRefine((environments, context) => {
    for (const [index, { name }] of environments.entries()) {
      const refuse = (message: string) => context.addIssue({ code: 'custom', path: [index, 'name'], message });
      if (environments.findIndex((other) => other.name === name) < index) refuse(`${name} is listed twice`);
      if (/(^|-)grpc$/.test(name)) refuse(`${name} ends in grpc, as the variables of gRPC ports do`);
    }
  });

function readEnvironments(environments: typeof ENVIRONMENTS): ConfiguredEnvironment[] {
  const parsed = environmentsSchema.safeParse(environments);
  if (parsed.success) return parsed.data;
  throw new Error(`ENVIRONMENTS in perdure.config.ts is not usable. ${describeIssues(parsed.error.issues)}.`);
}

const gatewayPortsSchema = (environments: readonly ConfiguredEnvironment[]) =>
  z.object(
    Object.fromEntries(
      environments.flatMap(({ name, ports }) => {
        const variables = gatewayVariables(name);
        return [
          [variables.port, port(ports.rest)],
          [variables.grpcPort, port(ports.grpc)],
        ] as const;
      }),
    ),
  );
