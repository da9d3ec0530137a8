import { cpus } from 'node:os';
import { parseOptions, usage } from './options.js';
import { describeFigure } from './figures/print-figure.js';
import { eventScenarios } from './scenarios/events.js';
import { grpcScenario } from './scenarios/grpc.js';
import { memoryScenario } from './scenarios/memory.js';
import { routeChangeScenario } from './scenarios/route-change.js';
import { servingScenarios } from './scenarios/serving.js';
import type { Scenario } from './scenario.js';
import { buildWorld } from './world.js';

const scenarios: Scenario[] = [
  ...servingScenarios,
  grpcScenario,
  ...eventScenarios,
  routeChangeScenario,
  memoryScenario,
];

async function main(): Promise<number> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) {
    const list = scenarios.map(
      ({ name, title, onRequestOnly }) => `  ${name.padEnd(34)} ${title}${onRequestOnly ? ' (only when named)' : ''}`,
    );
    process.stdout.write(`${usage}\nScenarios\n${list.join('\n')}\n`);
    return 0;
  }
  const chosen = scenarios.filter(({ name, onRequestOnly }) =>
    options.only.length === 0 ? !onRequestOnly : options.only.some((wanted) => name.startsWith(wanted)),
  );
  if (chosen.length === 0) {
    process.stderr.write(
      `There is no scenario ${options.only.join(', ')}. They are: ` +
        `${scenarios.map(({ name }) => name).join(', ')}.\n`,
    );
    return 2;
  }
  const note = (line: string) => process.stderr.write(`· ${line}\n`);
  note(`${cpus().length} cores of ${cpus()[0]?.model.trim() ?? 'unknown kind'}, Node ${process.versions.node}`);
  const world = await buildWorld(note);
  try {
    for (const scenario of chosen) {
      await world.shipAll();
      note(`${scenario.name}: ${scenario.title}`);
      const figure = await scenario.run(world, options);
      process.stdout.write(options.json ? `${JSON.stringify(figure)}\n` : `\n${describeFigure(figure)}`);
    }
  } finally {
    await world.stop();
  }
  return 0;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
    process.exit(1);
  },
);
