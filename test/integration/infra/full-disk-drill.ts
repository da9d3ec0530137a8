import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ComponentSpec } from '../../../infra/embedded/processes/component.js';
import { readRunFiles } from '../../../infra/embedded/processes/run-files.js';
import { writeStateFile } from '../../../infra/embedded/state-file.js';
import { superviseComponent } from '../../../infra/embedded/supervision/supervise.js';
import { supervisorLog, surviveShortages } from '../../../infra/embedded/supervision/supervisor-log.js';
import { pollUntil } from '../../support/poll-until.js';

/**
 * Runs in a home on a small disk of its own: fills it under a supervised component, frees it again, and prints what was
 * seen.
 */
async function main(home: string): Promise<void> {
  surviveShortages();
  const log = supervisorLog(home);
  const state = path.join(home, 'state.json');
  const own = path.join(home, 'own');
  const ownBytes = 65_536;
  // A server in small: it writes when it starts, and cannot without space.
  const program =
    `require('fs').writeFileSync(${JSON.stringify(own)}, 'x'.repeat(${ownBytes})); ` +
    `console.log('started'); setInterval(() => console.log('alive'), 20)`;
  const spec: ComponentSpec = {
    ...{ name: 'writer', kind: 'server', address: undefined, version: undefined, ports: [] },
    prepare: () => Promise.resolve(),
    command: () => ({ file: process.execPath, args: ['-e', program], env: process.env, cwd: home }),
    async check() {
      if (statSync(own).size !== ownBytes) throw new Error('it has not written');
    },
    ...{ stopSignal: 'SIGTERM', graceMs: 1_000, startTimeoutMs: 20_000 },
  };
  const component = superviseComponent(
    home,
    spec,
    ({ phase }) => log(phase),
    () => writeStateFile(state, JSON.stringify(component?.report() ?? {})),
  );
  await component.start(new AbortController().signal);
  const before = component.report();
  const whole = readFileSync(state, 'utf8');
  rmSync(own); // Its room is taken too.
  const ballast = fill(home);
  process.kill(before.pid ?? 0, 'SIGKILL');
  const failed = await pollUntil(
    'it cannot start',
    30_000,
    () => (component.report().state === 'failed' && component.report()) || undefined,
  );
  // More than the last block holds.
  for (let line = 0; line < 2_000; line += 1) log(`a line of the supervisor's log, number ${line}`);
  const stateWhileFull = readFileSync(state, 'utf8');
  for (const file of ballast) rmSync(file);
  const after = await pollUntil(
    'it is back',
    60_000,
    () => (component.report().state === 'running' && component.report()) || undefined,
  );
  await pollUntil('it is written down', 30_000, () =>
    readRunFiles(home).find((entry) => entry.process.pid === after.pid),
  );
  log('space again');
  const ownLog = readFileSync(path.join(home, 'logs', 'supervisor.log'), 'utf8');
  await component.stop();
  const seen = {
    reason: failed.lastError,
    isWhole: stateWhileFull === whole || typeof JSON.parse(stateWhileFull) === 'object',
    isNew: after.pid !== before.pid,
    dropped: Number(/(\d+) line\(s\) were dropped: ENOSPC/.exec(ownLog)?.[1] ?? 0),
  };
  process.stdout.write(`${JSON.stringify(seen)}\n`);
}

/** Writes until nothing more fits, not even a byte. */
function fill(home: string): string[] {
  const files: string[] = [];
  for (let bytes = 1024 ** 2; bytes >= 1; bytes = Math.floor(bytes / 16)) {
    try {
      for (;;) {
        const file = path.join(home, `ballast-${files.length}`);
        files.push(file);
        writeFileSync(file, Buffer.alloc(bytes));
      }
    } catch {
      // A smaller one may still fit.
    }
  }
  return files;
}

await main(process.argv[2] ?? '');
process.exit(0);
