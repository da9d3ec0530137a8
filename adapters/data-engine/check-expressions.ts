import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { invalidDefinition, type ModelDefinition } from '../../domain/model-definition.js';
import type { DuckSession } from './duck-session.js';
import { createEngine } from './engine.js';
import { planColumns } from './plan-columns.js';
import { hasValueMetrics, valueMetricProblems } from './value-expression.js';

const memoryLimitMb = 128;
const engineLimits = { residentMb: memoryLimitMb + 640, statementMs: 60_000 };

/**
 * Asks of definitions that somebody wants to apply what training and the judge will ask of their expressions, in a process of its own and without any data.
 * @throws PerdureError `definition/invalid` that names every problem of the first definition that has one; `expression/limit-exceeded`
 */
export async function checkExpressions(definitions: readonly ModelDefinition[]): Promise<void> {
  if (definitions.length === 0) return;
  await inEngine(async (session) => {
    for (const definition of definitions) {
      const { problems } = await planColumns(session, definition);
      problems.push(...(await valueMetricProblems(session, definition)));
      if (problems.length > 0) throw invalidDefinition(definition.name, problems);
    }
  });
}

/** Checks the value metrics of a rollout over the contract of the definition. @throws PerdureError `definition/invalid` that names the field. */
export async function checkValueMetrics(definition: ModelDefinition): Promise<void> {
  if (!hasValueMetrics(definition)) return;
  const problems = await inEngine((session) => valueMetricProblems(session, definition));
  if (problems.length > 0) throw invalidDefinition(definition.name, problems);
}

async function inEngine<Result>(work: (session: DuckSession) => Promise<Result>): Promise<Result> {
  const folder = await mkdtemp(path.join(tmpdir(), 'perdure-check-'));
  const engine = createEngine(engineLimits);
  try {
    return await work(await engine.open({ folder, threads: 1, memoryLimitMb }));
  } finally {
    engine.end();
    await rm(folder, { recursive: true, force: true });
  }
}
