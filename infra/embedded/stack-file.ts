import { existsSync, readFileSync, rmSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { processIdentitySchema } from './processes/end-process.js';
import { writeStateFile } from './state-file.js';

const componentSchema = z.object({
  name: z.string(),
  state: z.enum(['stopped', 'starting', 'running', 'restarting', 'stopping', 'failed', 'external', 'on-demand']),
  pid: z.number().optional(),
  address: z.string().optional(),
  version: z.string().optional(),
  logFile: z.string().optional(),
  startedAt: z.string().optional(),
  restarts: z.number(),
  lastError: z.string().optional(),
});

const stackFileSchema = z.object({
  supervisor: processIdentitySchema,
  startedAt: z.string(),
  /** True from the moment when everything answered first. */
  ready: z.boolean(),
  components: z.array(componentSchema),
  addresses: z.object({
    api: z.string(),
    /** By environment. */
    gateways: z.record(z.string(), z.string()),
    gatewaysGrpc: z.record(z.string(), z.string()),
    temporal: z.string(),
    temporalUi: z.string().optional(),
    temporalNamespace: z.string(),
    databaseUrl: z.string(),
    migrationDatabaseUrl: z.string().optional(),
    s3Endpoint: z.string(),
    embedded: z.object({ postgres: z.boolean(), temporal: z.boolean(), s3: z.boolean() }),
  }),
  /** The variables with which a process joins this stack; secrets among them, hence the file's mode. */
  env: z.record(z.string(), z.string()),
});

/** `<home>/stack.json`: the running stack, for the command line and for people. Readable by the owner only. */
export type StackFile = z.infer<typeof stackFileSchema>;

export function writeStackFile(home: string, content: z.input<typeof stackFileSchema>): void {
  writeStateFile(stackFilePath(home), `${JSON.stringify(content, null, 2)}\n`, 0o600);
}

/** What the last supervisor wrote; whether it still lives is `currentSupervisor`'s answer. */
export function readStackFile(home: string): StackFile | undefined {
  const file = stackFilePath(home);
  if (!existsSync(file)) return undefined;
  try {
    return stackFileSchema.parse(JSON.parse(readFileSync(file, 'utf8')));
  } catch {
    return undefined;
  }
}

export function removeStackFile(home: string): void {
  rmSync(stackFilePath(home), { force: true });
}

export function stackFilePath(home: string): string {
  return path.join(home, 'stack.json');
}
