import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { PerdureError } from '../../domain/errors.js';
import { writeStateFile } from './state-file.js';

const secretsSchema = z.object({
  /** Of the role that owns the tables and migrates them. */
  postgresPassword: z.string().min(16),
  /** Of the role that API, workers and gateways use. */
  postgresApplicationPassword: z.string().min(16),
  s3AccessKeyId: z.string().min(8),
  s3SecretAccessKey: z.string().min(16),
  /** Keys the hashes of callers' keys in prediction logs. */
  keyHashSecret: z.string().min(16),
});

export type StackSecrets = z.infer<typeof secretsSchema>;

/**
 * The embedded servers' credentials, made at the first start and kept in `<home>/secrets.json`, readable by the owner
 * only.
 */
export function loadSecrets(home: string): StackSecrets {
  const file = path.join(home, 'secrets.json');
  if (existsSync(file)) {
    try {
      const kept: unknown = JSON.parse(readFileSync(file, 'utf8'));
      const whole = secretsSchema.safeParse(kept);
      if (whole.success) return whole.data;
      // Stacks from before one of them was there get it now.
      return writeSecrets(
        file,
        secretsSchema.parse({
          keyHashSecret: madeSecret(),
          postgresApplicationPassword: madeSecret(),
          ...Object(kept),
        }),
      );
    } catch {
      throw new PerdureError(
        'environment/broken',
        `${file} does not contain the stack's credentials. Restore it from a backup, or move ${home} away to ` +
          'begin anew.',
      );
    }
  }
  return writeSecrets(file, {
    postgresPassword: randomBytes(24).toString('base64url'),
    postgresApplicationPassword: madeSecret(),
    s3AccessKeyId: randomBytes(10).toString('hex').toUpperCase(),
    s3SecretAccessKey: madeSecret(),
    keyHashSecret: madeSecret(),
  });
}

const madeSecret = () => randomBytes(30).toString('base64url');

function writeSecrets(file: string, secrets: StackSecrets): StackSecrets {
  writeStateFile(file, `${JSON.stringify(secrets, null, 2)}\n`, 0o600);
  return secrets;
}
