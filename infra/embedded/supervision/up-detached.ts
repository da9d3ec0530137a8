import { spawn } from 'node:child_process';
import { closeSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { errorCodes, PerdureError, type ErrorCode } from '../../../domain/errors.js';
import { loadPerdureConfig, type PerdureConfig } from '../../../perdure.config.js';
import type { OnProgress } from '../processes/component.js';
import { logPath, openLog } from '../processes/logs.js';
import { readStackFile, type StackFile } from '../stack-file.js';

const messageSchema = z.discriminatedUnion('perdure', [
  z.object({
    perdure: z.literal('progress'),
    progress: z.object({
      component: z.string(),
      phase: z.enum(['starting', 'ready', 'adopted', 'died', 'unhealthy', 'restarted', 'stopping', 'stopped', 'note']),
      detail: z.string().optional(),
      durationMs: z.number().optional(),
    }),
  }),
  z.object({ perdure: z.literal('failed'), code: z.string(), message: z.string() }),
  z.object({ perdure: z.literal('ready') }),
]);

/**
 * Starts a supervisor that outlives this process and waits until the stack answers.
 * @throws PerdureError what kept the stack from starting; then nothing of it is left running.
 */
export async function upDetached(
  onProgress: OnProgress = () => undefined,
  config: PerdureConfig = loadPerdureConfig(),
): Promise<StackFile> {
  const log = openLog(config.home, 'supervisor');
  const entry = fileURLToPath(new URL('../main.ts', import.meta.url));
  const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), entry], {
    cwd: config.projectRoot,
    env: { ...process.env, PERDURE_HOME: config.home },
    detached: true,
    stdio: ['ignore', log ?? 'ignore', log ?? 'ignore', 'ipc'],
  });
  if (log !== undefined) closeSync(log);
  await new Promise<void>((resolve, reject) => {
    child.on('message', (message) => {
      const parsed = messageSchema.safeParse(message);
      if (!parsed.success) return;
      if (parsed.data.perdure === 'progress') {
        const { component, phase, detail, durationMs } = parsed.data.progress;
        onProgress({
          component,
          phase,
          ...(detail === undefined ? {} : { detail }),
          ...(durationMs === undefined ? {} : { durationMs }),
        });
      } else if (parsed.data.perdure === 'ready') resolve();
      else reject(new PerdureError(knownCode(parsed.data.code), parsed.data.message));
    });
    child.once('exit', (code, signal) => {
      reject(
        new PerdureError(
          'environment/broken',
          `The supervisor ended with ${signal ?? code}. Its log: ${logPath(config.home, 'supervisor')}`,
        ),
      );
    });
  });
  if (child.connected) child.disconnect();
  child.unref();
  const stack = readStackFile(config.home);
  if (!stack)
    throw new PerdureError(
      'environment/broken',
      `The stack started, but ${config.home}/stack.json is not there. Run \`npx perdure doctor\`.`,
    );
  return stack;
}

function knownCode(code: string): ErrorCode {
  return errorCodes.find((known) => known === code) ?? 'environment/broken';
}
