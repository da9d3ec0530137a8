import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type { DefinitionProblem } from '../../../domain/definition-problem.js';
import { definitionDigest, invalidDefinition, type ModelDefinition } from '../../../domain/model/model-definition.js';
import type { DuckSession } from '../duck-session.js';
import { createEngine } from '../engine.js';
import { leakWarnings } from './leak-warnings.js';
import { planColumns } from '../snapshot/plan-columns.js';
import { ownMetricProblems } from '../own-metrics/own-metric-problems.js';
import { hasValueMetrics, valueMetricProblems } from './value-expression.js';

/** What was found of definitions, by digest: a plan is followed by an apply of the same. */
const checked = new Map<string, ExpressionFindings>();
const checkedMax = 1000;
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
  const { problems, ...plan } = await planColumns(session, definition);
  return {
    problems: [
      ...problems,
      ...(await valueMetricProblems(session, definition)),
      ...(await ownMetricProblems(session, definition)),
    ],
    warnings: leakWarnings(definition, plan),
  };
}

/**
 * Asks of definitions what training and the judge will ask of their expressions, in a process of its own.
 * @param staying those in force already, of which problems are only told
 * @returns what was found, by model
 * @throws PerdureError `definition/invalid` that names every problem of the first definition that has one;
 * `expression/limit-exceeded`
 */
export async function checkExpressions(
  definitions: readonly ModelDefinition[],
  staying: readonly ModelDefinition[] = [],
): Promise<Map<string, ExpressionFindings>> {
  const unknown = definitions.filter((definition) => !checked.has(definitionDigest(definition)));
  if (unknown.length > 0)
    await inEngine(async (session) => {
      for (const definition of unknown) remember(definition, await expressionFindings(session, definition));
    });
  const found = new Map<string, ExpressionFindings>();
  for (const definition of definitions) {
    const findings = checked.get(definitionDigest(definition)) ?? { problems: [], warnings: [] };
    if (findings.problems.length > 0 && !staying.includes(definition))
      throw invalidDefinition(definition.name, findings.problems);
    found.set(definition.name, findings);
  }
  return found;
}

function remember(definition: ModelDefinition, findings: ExpressionFindings): void {
  if (checked.size >= checkedMax) checked.clear();
  checked.set(definitionDigest(definition), findings);
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
