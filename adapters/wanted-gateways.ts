import { existsSync, mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { environmentSchema, type Environment } from '../domain/names.js';

/**
 * Which gateways that start on demand are wanted: one file each in the state folder, which the stack's supervisor
 * watches. A wish lasts until somebody takes it back, restarts of the stack included.
 */
const folderOf = (home: string): string => path.join(home, 'wanted-gateways');
const fileOf = (home: string, environment: Environment): string => path.join(folderOf(home), `${environment}.json`);

/** Repeatable: the first wish stays. @param by who or what asks, for people who read the file */
export function wantGateway(home: string, environment: Environment, by: string): void {
  const file = fileOf(home, environment);
  if (existsSync(file)) return;
  mkdirSync(folderOf(home), { recursive: true });
  const fresh = `${file}.${process.pid}.new`;
  writeFileSync(fresh, `${JSON.stringify({ by, at: new Date().toISOString() })}\n`);
  renameSync(fresh, file);
}

export function sendGatewayAway(home: string, environment: Environment): void {
  rmSync(fileOf(home, environment), { force: true });
}

/** By name; empty where nobody ever asked for one. */
export function wantedGateways(home: string): Environment[] {
  if (!existsSync(folderOf(home))) return [];
  return readdirSync(folderOf(home))
    .flatMap((file) => (file.endsWith('.json') ? (environmentSchema.safeParse(file.slice(0, -5)).data ?? []) : []))
    .sort();
}
