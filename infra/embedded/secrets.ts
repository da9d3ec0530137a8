import { randomBytes } from 'node:crypto';
import { chmodSync, existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { PerdureError } from '../../domain/errors.js';

const secretsSchema = z.object({
  postgresPassword: z.string().min(16),
  s3AccessKeyId: z.string().min(8),
  s3SecretAccessKey: z.string().min(16),
});

export type StackSecrets = z.infer<typeof secretsSchema>;

/** The embedded servers' credentials, made at the first start and kept in `<home>/secrets.json`, readable by the owner only. */
export function loadSecrets(home: string): StackSecrets {
  const file = path.join(home, 'secrets.json');
  if (existsSync(file)) {
    try {
      return secretsSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
    } catch {
      throw new PerdureError(
        'environment/broken',
        `${file} is not readable as the stack's credentials. Restore it from a copy, or move ${home} away to begin anew.`,
      );
    }
  }
  mkdirSync(home, { recursive: true });
  const secrets: StackSecrets = {
    postgresPassword: randomBytes(24).toString('base64url'),
    s3AccessKeyId: randomBytes(10).toString('hex').toUpperCase(),
    s3SecretAccessKey: randomBytes(30).toString('base64url'),
  };
  writeFileSync(`${file}.new`, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
  chmodSync(`${file}.new`, 0o600);
  renameSync(`${file}.new`, file);
  return secrets;
}
