import { fork, type ChildProcess } from 'node:child_process';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import Table from 'cli-table3';
import { falseRollbacks, requestsToCatch, type FalseRollbacks, type Figure, type RequestsToCatch } from './figures.js';
import { brokenAssumptions, harms, identicalPairs, type Scenario } from './scenario.js';
import { together, type Simulated } from './simulate.js';
import type { Chunk } from './simulating-process.js';

/**
 * `npm run bench:judge [-- --json] [--pairs N] [--seed N]`: whether the judge keeps its promise on false rollbacks when
 * it is looked at after every batch, and how many requests it needs to catch given harms, beside a fixed-threshold
 * counter and a one-shot test. Ends with 1 when a promise is broken.
 */
const { values } = parseArgs({
  options: {
    json: { type: 'boolean', default: false },
    pairs: { type: 'string', default: '10000' },
    seed: { type: 'string', default: '1' },
  },
});
const [pairs, seed] = [Number(values.pairs), Number(values.seed)];
if (!Number.isInteger(pairs) || pairs < 10 || !Number.isInteger(seed)) {
  console.error('--pairs takes a whole number from 10, --seed a whole number.');
  process.exit(2);
}

const program = fileURLToPath(new URL('./simulating-process.ts', import.meta.url));
const workers = Array.from({ length: Math.min(16, availableParallelism()) }, () =>
  fork(program, { execArgv: ['--import', 'tsx'] }),
);
const figures: Figure[] = [];
for (const scenario of identicalPairs) report(falseRollbacks(scenario, await run(scenario, pairs), true));
for (const scenario of brokenAssumptions)
  report(falseRollbacks(scenario, await run(scenario, Math.ceil(pairs / 10)), false));
for (const scenario of harms) report(requestsToCatch(scenario, await run(scenario, Math.ceil(pairs / 20))));
for (const worker of workers) worker.disconnect();
if (!values.json) console.log(tables(figures));
const broken = figures.filter((figure) => 'passed' in figure && figure.passed === false);
for (const { scenario } of broken) console.error(`The promise on false rollbacks is broken: ${scenario}.`);
process.exitCode = broken.length === 0 ? 0 : 1;

function report(figure: Figure): void {
  figures.push(figure);
  if (values.json) console.log(JSON.stringify(figure));
}

/** Each worker takes the next chunk as soon as it has done one. */
async function run(scenario: Scenario, count: number): Promise<Simulated> {
  const size = Math.max(1, Math.ceil(count / workers.length / 8));
  const chunks: Chunk[] = [];
  for (let from = 0; from < count; from += size)
    chunks.push({ scenario: scenario.name, seed, from, to: Math.min(count, from + size) });
  const found: Simulated[] = [];
  const work = async (worker: ChildProcess) => {
    for (let chunk = chunks.shift(); chunk; chunk = chunks.shift()) found.push(await ask(worker, chunk));
  };
  await Promise.all(workers.map(work));
  return together(found);
}

function ask(worker: ChildProcess, chunk: Chunk): Promise<Simulated> {
  return new Promise((resolve, reject) => {
    const ended = (code: number | null) => reject(new Error(`a simulating process ended with ${code}`));
    worker.once('exit', ended);
    worker.once('message', (found: Simulated) => {
      worker.off('exit', ended);
      resolve(found);
    });
    worker.send(chunk);
  });
}

function tables(all: readonly Figure[]): string {
  const pct = (share: number) => `${(100 * share).toFixed(2)} %`;
  const rows = all.filter((figure): figure is FalseRollbacks => figure.name === 'judge.false-rollbacks');
  const rates = new Table({
    head: ['no harm', '', 'pairs × looks', 'judge', 'promised', 'fixed threshold', 'Mann-Whitney'],
    style: { head: [], border: [] },
  });
  for (const row of rows)
    rates.push([
      ...[row.scenario, row.about, `${row.pairs} × ${row.looks}`, pct(row.rate)],
      row.passed === null ? 'nothing' : `${pct(row.alpha)} ${row.passed ? 'kept' : 'BROKEN'}`,
      ...[pct(row.fixedThresholdRate), pct(row.mannWhitneyRate)],
    ]);
  const needs = new Table({
    head: ['harm', 'judge', 'fixed threshold', 'Mann-Whitney, once'],
    style: { head: [], border: [] },
  });
  const shown = ({ median, p90 }: { median: number | null; p90: number | null }) =>
    `${median ?? 'never'} / ${p90 ?? 'never'}`;
  for (const row of all.filter((figure): figure is RequestsToCatch => figure.name === 'judge.requests-to-catch'))
    needs.push([row.scenario, shown(row.judge), shown(row.fixedThreshold), shown(row.mannWhitneyOnce)]);
  return [
    'False rollbacks, looked at after every batch',
    rates.toString(),
    '',
    'Requests of the challenger until it is rolled back: half of the pairs / nine in ten',
    needs.toString(),
  ].join('\n');
}
