import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DefinitionProblem } from '../../../domain/definition-problem.js';
import { definitionDigest, invalidDefinition, type ModelDefinition } from '../../../domain/model/model-definition.js';
import type { DuckSession } from '../duck-session.js';
import { createEngine } from '../engine.js';
import { leakWarnings } from './leak-warnings.js';
import { planColumns } from '../snapshot/plan-columns.js';
import { hasValueMetrics, valueMetricProblems } from './value-expression.js';

/** Warnings of definitions that were found sound, by digest: a plan is followed by an apply of the same. */
const soundDefinitions = new Map<string, DefinitionProblem[]>();
const soundMax = 1000;
const memoryLimitMb = 128;
const engineLimits = { residentMb: memoryLimitMb + 640, statementMs: 60_000 };

export interface ExpressionFindings {
  problems: DefinitionProblem[];
  /** What may be meant so, and is worth a look. */
  warnings: DefinitionProblem[];
}

/** What training and the judge will say of a definition's expressions, asked without any data. */
export async function expressionFindings(
  session: DuckSession,
  definition: ModelDefinition,
): Promise<ExpressionFindings> {
  const { columns, problems } = await planColumns(session, definition);
  return {
    problems: [...problems, ...(await valueMetricProblems(session, definition))],
    warnings: leakWarnings(definition, columns),
  };
}

/**
 * Asks of definitions that somebody wants to apply what training and the judge will ask of their expressions, in a
 * process of its own.
 * @returns warnings by model
 * @throws PerdureError `definition/invalid` that names every problem of the first definition that has one;
 * `expression/limit-exceeded`
 */
export async function checkExpressions(
  definitions: readonly ModelDefinition[],
): Promise<Map<string, DefinitionProblem[]>> {
  const warningsOf = new Map<string, DefinitionProblem[]>();
  const unknown = definitions.filter((definition) => {
    const known = soundDefinitions.get(definitionDigest(definition));
    if (known) warningsOf.set(definition.name, known);
    return !known;
  });
  if (unknown.length === 0) return warningsOf;
  await inEngine(async (session) => {
    for (const definition of unknown) {
      const { problems, warnings } = await expressionFindings(session, definition);
      if (problems.length > 0) throw invalidDefinition(definition.name, problems);
      warningsOf.set(definition.name, warnings);
      if (soundDefinitions.size >= soundMax) soundDefinitions.clear();
      soundDefinitions.set(definitionDigest(definition), warnings);
    }
  });
  return warningsOf;
}

/**
 * Checks the value metrics of a rollout over the contract of the definition.
 * @throws PerdureError `definition/invalid` that names the field.
 */
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
