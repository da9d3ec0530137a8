import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { PerdureError } from '../../../domain/errors.js';
import type { ComponentSpec } from '../processes/component.js';
import { searchAttributes } from './search-attributes.js';
import { writeStateFile } from '../state-file.js';
import { checkTemporal } from './temporal-check.js';
import { findTemporal } from './tools.js';

export interface TemporalOptions {
  projectRoot: string;
  home: string;
  host: string;
  port: number;
  uiPort: number;
  namespace: string;
}

/** The Temporal development server with its web UI, its state in `<home>/temporal`. */
export async function temporalComponent(options: TemporalOptions): Promise<ComponentSpec> {
  const binary = await findTemporal(options.projectRoot);
  const folder = path.join(options.home, 'temporal');
  const versionFile = path.join(folder, 'SERVER_VERSION');
  return {
    name: 'temporal',
    kind: 'server',
    address: `${options.host}:${options.port}`,
    version: binary.serverVersion,
    ports: [
      { port: options.port, variable: 'PERDURE_TEMPORAL_PORT', purpose: 'Temporal' },
      { port: options.uiPort, variable: 'PERDURE_TEMPORAL_UI_PORT', purpose: 'the Temporal UI' },
    ],
    async prepare() {
      mkdirSync(folder, { recursive: true });
      if (!existsSync(versionFile)) writeStateFile(versionFile, `${binary.serverVersion}\n`);
      const writtenBy = readFileSync(versionFile, 'utf8').trim();
      if (writtenBy !== binary.serverVersion) {
        throw new PerdureError(
          'environment/broken',
          `${folder} was written by Temporal server ${writtenBy}; this one is ${binary.serverVersion}, and ` +
            'its file does not carry over. ' +
            `Finish the running workflows with the old server (PERDURE_TEMPORAL_BINARY), then move ${folder} away.`,
        );
      }
    },
    command() {
      const args = [
        'server',
        'start-dev',
        '--ip',
        options.host,
        '--port',
        String(options.port),
        '--ui-port',
        String(options.uiPort),
      ];
      args.push('--db-filename', path.join(folder, 'temporal.db'));
      args.push('--sqlite-pragma', 'journal_mode=wal', '--sqlite-pragma', 'synchronous=normal');
      // The default of 20 task loads a second and shard makes sequential steps ten times slower.
      args.push('--dynamic-config-value', 'history.transferProcessorMaxPollRPS=2000');
      // Tasks that wait are handed out by priority, then in turn among models, which holds within one partition. Those
      // of before are still read from all.
      args.push('--dynamic-config-value', 'matching.enableFairness=true');
      args.push('--dynamic-config-value', 'matching.numTaskqueueWritePartitions=1');
      args.push('--log-level', 'error', '--log-format', 'json');
      if (options.namespace !== 'default') args.push('--namespace', options.namespace);
      for (const name of searchAttributes) args.push('--search-attribute', `${name}=Keyword`);
      return { file: binary.path, args, env: serverEnvironment(), cwd: folder };
    },
    check: () => checkTemporal({ address: `${options.host}:${options.port}` }, options.namespace),
    stopSignal: 'SIGTERM',
    graceMs: 10_000,
    startTimeoutMs: 60_000,
  };
}

/** TEMPORAL_… variables configure clients; the server's command line would read them too. */
function serverEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('TEMPORAL_')));
}
