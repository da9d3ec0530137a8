import type { Command } from 'commander';
import type { OnProgress } from '../../infra/embedded/processes/component.js';
import type { StackStatus } from '../../infra/embedded/stack-status.js';
import type { CliContext } from '../context.js';
import type { Check } from '../../oversight/check.js';
import type { Environment } from '../../domain/names.js';
import { examples } from '../examples.js';
import { anEnvironment } from '../parse/options.js';
import { Interrupted } from '../exit-code.js';
import { fields, table } from '../format/table.js';
import { duration } from '../format/time.js';
import { bytesText, state } from '../format/words.js';
import type { Output } from '../output.js';

/** `up`, `down`, `status` and `doctor`: the embedded stack. Its code is loaded only for these. */
export function registerStack(program: Command, context: CliContext): void {
  registerUp(program, context);
  registerDown(program, context);
  registerStatus(program, context);
  registerDoctor(program, context);
}

function registerUp(program: Command, context: CliContext): void {
  const { output, signal } = context;
  program
    .command('up')
    .description('start the stack in this terminal until Ctrl-C, and serve the last routes')
    .option('--detach', 'start it in the background')
    .addOption(
      anEnvironment('--with <environment...>', 'also start the gateway there, which otherwise starts on demand'),
    )
    .addHelpText('after', examples('up', 'up --detach', 'up --with development'))
    .action(async ({ detach, with: wanted = [] }: { detach?: true; with?: Environment[] }) => {
      const config = context.config();
      const { wantGateways } = await import('../../infra/embedded/want-gateways.js');
      wantGateways(config, wanted, context.actor(undefined));
      const { describeProgress } = await import('../../infra/embedded/print-progress.js');
      const onProgress: OnProgress = (progress) => {
        const line = describeProgress(progress);
        if (line) output.progress(line);
      };
      if (detach) {
        const { upDetached } = await import('../../infra/embedded/supervision/up-detached.js');
        const { addresses } = await upDetached(onProgress, config);
        return output.result(
          { state: 'running', addresses: shown(addresses) },
          () => `The stack is up.\n${places(addresses)}\nStop it: perdure down`,
        );
      }
      const [{ startStack }, { surviveShortages }] = await Promise.all([
        import('../../infra/embedded/stack.js'),
        import('../../infra/embedded/supervision/supervisor-log.js'),
      ]);
      surviveShortages();
      const stack = await startStack({ config, environment: context.env, onProgress, signal }).catch(
        (error: unknown) => {
          throw signal.aborted
            ? new Interrupted('Interrupted: what had started was stopped. The next `perdure up` continues from here.')
            : error;
        },
      );
      output.result(
        { state: 'running', addresses: shown(stack.addresses) },
        () => `The stack is up.\n${places(stack.addresses)}\nCtrl-C stops it; the next start continues from here.`,
      );
      if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
      output.progress('Stopping');
      await stack.stop();
    });
}

function registerDown(program: Command, context: CliContext): void {
  const { output } = context;
  program
    .command('down')
    .description('stop the stack, whoever started it; keeps its state')
    .addHelpText('after', examples('down'))
    .action(async () => {
      const { down } = await import('../../infra/embedded/supervision/down.js');
      const stopped = await down(context.config());
      const any = stopped.supervisorPid !== undefined || stopped.leftovers.length > 0;
      output.result(
        { ...stopped, stopped: any },
        any ? 'Stopped. The state is kept; `perdure up` continues from it.' : 'Nothing was running.',
      );
    });
}

function registerStatus(program: Command, context: CliContext): void {
  const { output } = context;
  program
    .command('status')
    .description('show processes, addresses, memory and disk use, and open work')
    .addHelpText('after', examples('status', 'status --json'))
    .action(async () => {
      const [{ stackStatus }, { openWorkOf, openWorkText }] = await Promise.all([
        import('../../infra/embedded/stack-status.js'),
        import('../open-work.js'),
      ]);
      const config = context.config();
      const [work, status] = await Promise.all([openWorkOf(config, context.env), stackStatus(config)]);
      if (status.state === 'down') context.exitCode = 7;
      const { waiting, troubles, asOf } = work;
      output.result({ ...status, waiting, troubles, workAsOf: asOf }, () =>
        [
          describeStatus(output, status),
          ...openWorkText(work, new Date()),
          ...troubles.map((check) => describeCheck(output, check)),
        ].join('\n'),
      );
    });
}

function registerDoctor(program: Command, context: CliContext): void {
  const { output } = context;
  program
    .command('doctor')
    .description('check the installation: what is missing or broken, with the remedy; changes nothing')
    .option('--replay', 'also replay the histories of open workflows against this code')
    .addHelpText('after', examples('doctor', 'doctor --json', 'doctor --replay'))
    .action(async ({ replay }: { replay?: true }) => {
      output.progress('Queries every server, gateway and open workflow; `perdure status` is quicker');
      const { doctor } = await import('../../infra/embedded/doctor/doctor.js');
      const checks = await doctor(context.env, { replay: replay ?? false });
      const problems = checks.filter((check) => check.outcome === 'problem').length;
      if (problems > 0) context.exitCode = 7;
      output.result({ checks, problems }, () =>
        [
          ...checks.map((check) => describeCheck(output, check)),
          '',
          problems === 0 ? 'Nothing is broken.' : `${problems} problem(s).`,
        ].join('\n'),
      );
    });
}

function describeCheck({ colours }: Output, { name, outcome, finding, remedy }: Check): string {
  const mark = { ok: colours.green('✓'), note: colours.yellow('!'), problem: colours.red('✗') }[outcome];
  return `${mark} ${name}: ${finding}${remedy ? ` → ${remedy}` : ''}`;
}

interface Addresses {
  api: string;
  gateways: Readonly<Record<string, string>>;
  gatewaysGrpc: Readonly<Record<string, string>>;
  temporal: string;
  temporalUi?: string | undefined;
  s3Endpoint: string;
}

/** Without the database's URL, which holds its password. */
const shown = ({ api, gateways, gatewaysGrpc, temporal, temporalUi, s3Endpoint }: Addresses) => ({
  api,
  gateways,
  gatewaysGrpc,
  temporal,
  temporalUi: temporalUi ?? null,
  s3Endpoint,
});

const places = (addresses: Addresses) =>
  fields([
    ['control API', addresses.api],
    ...Object.entries(addresses.gateways).flatMap(([environment, url]): [string, string | null][] => [
      [`gateway (${environment})`, url],
      [`gateway (${environment}), gRPC`, addresses.gatewaysGrpc[environment] ?? null],
    ]),
    ['Temporal', addresses.temporal],
    ['Temporal UI', addresses.temporalUi ?? null],
  ]);

type Seen = Pick<StackStatus['disk'][number], 'bytes' | 'isWhole'>;
const wholeOf = (parts: readonly Seen[]): Seen => ({
  bytes: parts.reduce((sum, { bytes }) => sum + bytes, 0),
  isWhole: parts.every(({ isWhole }) => isWhole),
});
const diskText = ({ bytes, isWhole }: Seen): string => `${isWhole ? '' : 'more than '}${bytesText(bytes)}`;

function describeStatus(output: Output, status: StackStatus): string {
  const disk = fields([
    ['state', status.home],
    ['on disk', diskText(wholeOf(status.disk))],
    ...status.disk.slice(0, 6).map((use) => [`  ${use.part}`, diskText(use)] as const),
    [
      'free',
      `${bytesText(status.diskFreeBytes)}${
        status.diskFull
          ? output.colours.red('  the disk is full: free some space; stopped processes then restart automatically')
          : ''
      }`,
    ],
    ['tools', status.toolsFolder],
  ]);
  if (status.components.length === 0) return `Nothing runs. Start the stack: perdure up\n\n${disk}`;
  const rows = status.components.map((one) => [
    one.name,
    state(output, one.state),
    one.pid ?? null,
    one.address ?? null,
    one.uptimeMs === undefined ? null : duration(one.uptimeMs),
    one.memoryBytes === undefined ? null : bytesText(one.memoryBytes),
    one.restarts,
    one.lastError ?? one.version ?? null,
  ]);
  const head = ['component', 'state', 'pid', 'address', 'up for', 'memory', 'restarts', 'version or last error'];
  return (
    `The stack is ${status.state}; it occupies ${bytesText(status.memoryBytes)} of ` +
    `memory.\n\n${table(output, head, rows)}\n\n${disk}`
  );
}
