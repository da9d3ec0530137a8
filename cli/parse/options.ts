import { InvalidArgumentError, Option } from 'commander';
import { environmentSchema, type Environment } from '../../domain/names.js';
import { partitionSchema } from '../../domain/partition.js';

/** `--env`: production unless given. */
export function environmentOption(description = 'the environment'): Option {
  return new Option('--env <environment>', description).choices(environmentSchema.options).default('production');
}

export interface EnvironmentChoice {
  env: Environment;
}

export function parsePartition(text: string): string {
  const parsed = partitionSchema.safeParse(text);
  if (parsed.success) return parsed.data;
  throw new InvalidArgumentError('must be a month in the form YYYY-MM, for example 2013-04.');
}

export function parseCount(text: string): number {
  const count = Number(text);
  if (/^\d{1,9}$/.test(text) && count >= 1) return count;
  throw new InvalidArgumentError('must be a whole number, at least 1.');
}
