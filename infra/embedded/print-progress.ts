import pc from 'picocolors';
import type { StackProgress } from './processes/component.js';
import type { RunningStack } from './stack.js';

/** One line for each step that has ended, and for everything that went wrong; for a terminal or a log. */
export function printProgress(progress: StackProgress): void {
  const line = describeProgress(progress);
  if (line) process.stdout.write(`${line}\n`);
}

/** Undefined for a step that has only begun. */
export function describeProgress({ component, phase, detail, durationMs }: StackProgress): string | undefined {
  const took = durationMs === undefined ? '' : pc.dim(` ${(durationMs / 1000).toFixed(1)} s`);
  const name = component.padEnd(19);
  switch (phase) {
    case 'starting':
    case 'stopping':
      return undefined;
    case 'ready':
      return `  ${pc.green('✓')} ${name} ready  ${took}`;
    case 'adopted':
      return `  ${pc.green('✓')} ${name} taken over ${pc.dim(detail ?? '')}`;
    case 'stopped':
      return `  ${pc.green('✓')} ${name} stopped${took}`;
    case 'restarted':
      return `  ${pc.green('✓')} ${name} is back${took}`;
    case 'died':
    case 'unhealthy':
      return `  ${pc.yellow('!')} ${name} ${phase}: ${detail ?? 'unknown reason'}; restarting`;
    case 'note':
      return `  ${pc.yellow('!')} ${name} ${detail ?? ''}`;
    default:
      return phase satisfies never;
  }
}

export function printWhereToLook({ addresses, config }: RunningStack): void {
  const lines = [
    ['control API', addresses.api],
    ...config.environments.map(
      ({ name, url, grpcAddress }) => [`gateway (${name})`, `${url}, gRPC ${grpcAddress}`] as const,
    ),
    ['Temporal UI', addresses.temporalUi ?? `of the server at ${addresses.temporal}`],
    ['state and logs', config.home],
  ] as const;
  process.stdout.write(`\n${lines.map(([name, value]) => `  ${name.padEnd(22)} ${pc.cyan(value)}`).join('\n')}\n\n`);
}
