import { InvalidArgumentError, Option } from 'commander';
import { defaultEnvironment, knownEnvironment } from '../../domain/promotion/environments.js';
import type { Environment } from '../../domain/names.js';
import { partitionSchema } from '../../domain/partition.js';
import { ENVIRONMENTS } from '../../perdure.config.js';

/** An option whose value is one of the environments; without a default. */
export const anEnvironment = (flags: string, description: string): Option =>
  new Option(flags, description).choices(ENVIRONMENTS.map(({ name }) => name));

/** `--env`: production unless given. */
export const environmentOption = (description = 'the environment'): Option =>
  anEnvironment('--env <environment>', description).default(defaultEnvironment(ENVIRONMENTS));

/** An environment as an argument. */
export function parseEnvironment(text: string): Environment {
  return knownEnvironment(ENVIRONMENTS, text).name;
}

export interface EnvironmentChoice {
  env: Environment;
}

export function parsePartition(text: string): string {
  const parsed = partitionSchema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError(`${parsed.error.issues[0]?.message ?? 'is no partition'}.`);
}

export function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d{1,9}$/.test(text) && count >= 1) return count;
  throw new InvalidArgumentError('must be a whole number, at least 1.');
}
