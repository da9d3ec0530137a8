import { cpus } from 'node:os';
import { parseOptions, usage } from './options.js';
import { describeFigure } from './figures/print-figure.js';
import { eventScenarios } from './scenarios/events.js';
import { grpcScenario } from './scenarios/grpc.js';
import { memoryScenario } from './scenarios/memory.js';
import { routeChangeScenario } from './scenarios/route-change.js';
import { servingScenarios } from './scenarios/serving.js';
import { shippingScenarios } from './scenarios/shipping.js';
import { growthScenario } from './scenarios/growth.js';
import type { Scenario, StandaloneScenario } from './scenario.js';
import type { BenchOptions } from './options.js';
import type { Figure } from './figures/figure.js';
import { buildWorld } from './world.js';

const scenarios: Scenario[] = [
  ...servingScenarios,
  grpcScenario,
  ...eventScenarios,
  ...shippingScenarios,
  routeChangeScenario,
  memoryScenario,
];

const standalone: StandaloneScenario[] = [growthScenario];

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    const list = [...scenarios, ...standalone.map((one) => ({ ...one, onRequestOnly: true }))].map(
      ({ name, title, onRequestOnly }) => `  ${name.padEnd(34)} ${title}${onRequestOnly ? ' (only when named)' : ''}`,
    );
    process.stdout.write(`${usage}\nScenarios\n${list.join('\n')}\n`);
    return 0;
  }
  const chosen = scenarios.filter(({ name, onRequestOnly }) =>
    options.only.length === 0 ? !onRequestOnly : options.only.some((wanted) => name.startsWith(wanted)),
  );
  const alone = standalone.filter(({ name }) => options.only.some((wanted) => name.startsWith(wanted)));
  if (chosen.length + alone.length === 0) {
    const names = [...scenarios, ...standalone].map(({ name }) => name);
    process.stderr.write(`There is no scenario ${options.only.join(', ')}. They are: ${names.join(', ')}.\n`);
    return 2;
  }
  const note = (line: string) => process.stderr.write(`· ${line}\n`);
  note(`${cpus().length} cores of ${cpus()[0]?.model.trim() ?? 'unknown kind'}, Node ${process.versions.node}`);
  let missed = 0;
  for (const scenario of alone) {
    note(`${scenario.name}: ${scenario.title}`);
    for await (const figure of scenario.run(options, note)) {
      missed += figure.wanted.filter(({ met }) => !met).length;
      show(figure, options);
    }
  }
  if (missed > 0) note(`${missed} of what is wanted ${missed === 1 ? 'was' : 'were'} missed`);
  if (chosen.length > 0) await runInOneWorld(chosen, options, note);
  return missed > 0 ? 1 : 0;
}

function show(figure: Figure, { json }: BenchOptions): void {
  process.stdout.write(json ? `${JSON.stringify(figure)}\n` : `\n${describeFigure(figure)}`);
}

async function runInOneWorld(
  chosen: readonly Scenario[],
  options: BenchOptions,
  note: (line: string) => void,
): Promise<void> {
  const world = await buildWorld(note);
  try {
    for (const scenario of chosen) {
      await world.shipAll();
      note(`${scenario.name}: ${scenario.title}`);
      show(await scenario.run(world, options), options);
    }
  } finally {
    await world.stop();
  }
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
