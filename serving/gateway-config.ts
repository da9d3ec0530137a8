import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { environmentSchema } from '../domain/names.js';
import { defaultEngineLimits } from '../inference/engine-limits.js';
import { writeDurableFile } from './durable-file.js';
import { defaultGatewayLimits as defaults } from './gateway-limits.js';

export const bytesPerMb = 1024 * 1024;

const port = z.coerce.number().int().min(1).max(65_535);

const gatewayEnvironmentSchema = z.object({
  PERDURE_GATEWAY_ENVIRONMENT: environmentSchema,
  PERDURE_GATEWAY_PORT: port,
  /** Without it the gateway speaks REST only. */
  PERDURE_GATEWAY_GRPC_PORT: port.optional(),
  /** Folder of the artifact cache, the spools and the last good routes; one for each gateway process. */
  PERDURE_GATEWAY_HOME: z.string().min(1),
  /** How others reach this gateway; by default its host and port. */
  PERDURE_GATEWAY_URL: z.url({ protocol: /^https?$/ }).optional(),
  PERDURE_GATEWAY_BODY_MAX_MB: z.coerce
    .number()
    .int()
    .min(1)
    .max(512)
    .default(defaults.bodyBytesMax / bytesPerMb),
  /** Of all requests under way together. */
  PERDURE_GATEWAY_BODIES_MAX_MB: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(defaults.bodiesBytesMax / bytesPerMb),
  /** A request that has not arrived whole by then is ended. */
  PERDURE_GATEWAY_BODY_SECONDS: z.coerce
    .number()
    .min(0.1)
    .max(3600)
    .default(defaults.bodyTimeoutMs / 1000),
  PERDURE_GATEWAY_SPOOL_MAX_MB: z.coerce
    .number()
    .int()
    .min(1)
    .max(1_000_000)
    .default(defaults.spoolBytesMax / bytesPerMb),
  /** What one model's process may use, the runtime's own memory included. */
  PERDURE_GATEWAY_MODEL_MEMORY_MAX_MB: z.coerce
    .number()
    .int()
    .min(200)
    .max(1_000_000)
    .default(defaultEngineLimits.residentMaxMb),
  /** A log segment goes to the object store at this age, if it is not full before. */
  PERDURE_GATEWAY_SEGMENT_SECONDS: z.coerce
    .number()
    .min(0.1)
    .max(3600)
    .default(defaults.segmentAgeMaxMs / 1000),
  /** Names beside its own under which it is called: `name` or `name:port`, separated by commas. */
  PERDURE_ALLOWED_HOSTS: z.string().optional(),
  /** The stack of one machine that it is part of, and that stack's state folder. */
  PERDURE_STACK_ID: z.string().min(1).optional(),
  PERDURE_HOME: z.string().default(''),
  PERDURE_HOST: z.string().min(1).default('127.0.0.1'),
  PERDURE_DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }),
  PERDURE_S3_ENDPOINT: z.url({ protocol: /^https?$/ }),
  PERDURE_S3_BUCKET: z.string().min(3).default('perdure'),
  PERDURE_S3_REGION: z.string().min(1).default('us-east-1'),
  AWS_ACCESS_KEY_ID: z.string().min(1),
  AWS_SECRET_ACCESS_KEY: z.string().min(1),
  /** Keys the hashes of callers' keys in logs; the same for all gateways of an installation. */
  PERDURE_KEY_HASH_SECRET: z.string().min(16).optional(),
  /** Or a file that holds it. */
  PERDURE_KEY_HASH_SECRET_FILE: z.string().min(1).optional(),
  PERDURE_LOG_LEVEL: z.enum(['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent']).default('info'),
});
export type GatewayConfig = z.infer<typeof gatewayEnvironmentSchema>;

/** @throws an Error that names each wrong or missing variable and what it must be. */
export function loadGatewayConfig(environment: NodeJS.ProcessEnv = process.env): GatewayConfig {
  const present = Object.fromEntries(Object.entries(environment).filter(([, value]) => value !== ''));
  const parsed = gatewayEnvironmentSchema.safeParse(present);
  if (parsed.success) return parsed.data;
  const problems = parsed.error.issues.map((issue) => `${issue.path.join('.')}: ${issue.message}`);
  throw new Error(`The gateway's environment is not usable. ${problems.join('; ')}. Correct or set the variable.`);
}

/** @throws an Error when neither the variable nor the file gives a secret. */
export function keyHashSecretOf({
  PERDURE_KEY_HASH_SECRET: secret,
  PERDURE_KEY_HASH_SECRET_FILE: file,
}: GatewayConfig): string {
  const found = secret ?? (file === undefined ? '' : readFileSync(file, 'utf8').trim());
  if (found.length >= 16) return found;
  throw new Error(
    "The gateway's environment is not usable. PERDURE_KEY_HASH_SECRET, or the file that PERDURE_KEY_HASH_SECRET_FILE " +
      'names, must give at least 16 characters, ' +
      'the same for every gateway: logs hold hashes of keys by it. A stack has its own in secrets.json and stack.json.',
  );
}

/** The gateway's name, made once and kept in its home, so that it stays the same gateway after a restart. */
export async function gatewayIdOf(home: string, environment: string): Promise<string> {
  const file = path.join(home, 'gateway-id');
  try {
    const kept = readFileSync(file, 'utf8').trim();
    if (kept !== '') return kept;
  } catch {
    // First start in this home.
  }
  const made = `${environment}-${randomUUID().slice(0, 8)}`;
  await writeDurableFile(file, made);
  return made;
}
