import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { createBench } from '../support/temporal-environment.js';
import { historiesFolder } from './histories.js';
import { play, scenarios } from './scenarios.js';

/**
 * Records the scenarios that have no recording under the present version, on a real Temporal server with fakes for
 * activities:
 *
 *     node --import tsx test/replay/record.ts [SCENARIO …] [--overwrite]
 *
 * Record once a version is released, and when a scenario is added; commit what it writes. A recording of a released
 * version is never overwritten: workflows of that version may still be running somewhere, and must go on under the new
 * code. `--overwrite` is for histories that no release has made.
 */
async function record(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { overwrite: { type: 'boolean', default: false } },
  });
  const { version } = z
    .object({ version: z.string() })
    .parse(JSON.parse(readFileSync(path.join(historiesFolder, '..', '..', '..', 'package.json'), 'utf8')));
  const unknown = positionals.filter((name) => !(name in scenarios));
  if (unknown.length > 0)
    throw new Error(`No scenario is called ${unknown.join(' or ')}. There are: ${Object.keys(scenarios).join(', ')}.`);
  const bench = await createBench({ time: 'real' });
  try {
    for (const [name, scenario] of Object.entries(scenarios)) {
      if (positionals.length > 0 && !positionals.includes(name)) continue;
      const file = path.join(historiesFolder, `${version}-${name}.json`);
      if (existsSync(file) && !values.overwrite) {
        process.stdout.write(`kept     ${path.basename(file)} (--overwrite replaces it)\n`);
        continue;
      }
      const handle = await play(bench, scenario);
      writeFileSync(file, `${JSON.stringify(await handle.fetchHistory(), withoutMachine, 1)}\n`);
      process.stdout.write(`recorded ${path.basename(file)}\n`);
    }
  } finally {
    await bench.close();
  }
}

/** Leaves out what names the machine that recorded: replay reads neither. */
function withoutMachine(key: string, value: unknown): unknown {
  if (key === 'identity') return 'recorder';
  if (key === 'stackTrace') return '';
  return typeof value === 'string' ? value.replace(/^\d+@.+-([0-9a-f]{32})$/, 'recorder-$1') : value;
}

await record();
