import { z } from 'zod';
import { allowedOperators, allowedTypes, isAllowedFunction } from './allowed-functions.js';
import type { columnFinder } from './column-finder.js';
import { growthOf } from './expression-growth.js';
import { isRecord } from './expression-tree.js';
import type { SourceColumn } from './source-columns.js';

/**
 * What may stand in an expression over one row. Subqueries, window functions, parameters, lambdas, collations and `*`
 * may not.
 */
const allowedClasses = new Set([
  'COLUMN_REF',
  'CONSTANT',
  'FUNCTION',
  'COMPARISON',
  'CONJUNCTION',
  'CAST',
  'OPERATOR',
  'CASE',
  'BETWEEN',
]);
/** Checks a parsed expression, part by part, and finds the columns that it reads. */
export function expressionInspector(find: ReturnType<typeof columnFinder>) {
  return inspect;

  /** The growth of a part's text, see `growthOf`; or what is wrong with it. */
  function inspect(value: unknown, columns: SourceColumn[]): number | { problem: string } {
    if (!isRecord(value) || typeof value.class !== 'string') return inspectAll(partsOf(value), columns);
    if (!allowedClasses.has(value.class))
      return {
        problem:
          `a ${value.class.toLowerCase().replaceAll('_', ' ')} ` + 'is not allowed: a feature is computed from one row',
      };
    if (value.class === 'COLUMN_REF') {
      const resolved = find(z.array(z.string()).parse(value.column_names));
      if ('problem' in resolved) return resolved;
      columns.push(resolved.found);
      return 1;
    }
    if (value.class === 'CONSTANT')
      return typeProblem(isRecord(value.value) ? value.value.type : undefined, 'a constant of') ?? 1;
    if (value.class === 'OPERATOR' && !allowedOperators.has(String(value.type)))
      return {
        problem:
          `${String(value.type).toLowerCase().replaceAll('_', ' ')} is not allowed: lists, structs and groups ` +
          `are not`,
      };
    if (value.class === 'CAST') {
      const problem = typeProblem(value.cast_type, 'a cast to');
      return problem ?? inspect(value.child, columns);
    }
    if (value.class !== 'FUNCTION') return inspectAll(partsOf(value), columns);
    const problem = functionProblem(value);
    if (problem !== undefined) return { problem };
    const children: unknown[] = Array.isArray(value.children) ? value.children : [];
    const growths: number[] = [];
    for (const child of children) {
      const growth = inspect(child, columns);
      if (typeof growth !== 'number') return growth;
      growths.push(growth);
    }
    return growthOf(String(value.function_name).toLowerCase(), children, growths);
  }

  function inspectAll(parts: readonly unknown[], columns: SourceColumn[]): number | { problem: string } {
    let longest = 1;
    for (const part of parts) {
      const growth = inspect(part, columns);
      if (typeof growth !== 'number') return growth;
      longest = Math.max(longest, growth);
    }
    return longest;
  }
}

function functionProblem(call: Record<string, unknown>): string | undefined {
  const name = String(call.function_name).toLowerCase();
  // The parser itself writes `main` where grammar stands for a function, as in EXTRACT.
  const schemas: unknown[] = [undefined, '', 'main'];
  if (!schemas.includes(call.schema) || (call.catalog ?? '') !== '')
    return `the function ${name} must be written without a schema`;
  if (!isAllowedFunction(name))
    return `the function ${name} is not allowed in an expression; docs/model-definition.md lists the allowed ones`;
  const orders = isRecord(call.order_bys) && Array.isArray(call.order_bys.orders) ? call.order_bys.orders.length : 0;
  if (call.distinct === true || (call.filter ?? null) !== null || orders > 0)
    return `${name} with DISTINCT, FILTER or ORDER BY is not allowed: a feature is computed from one row`;
  // `age` of one argument counts from today.
  if (name === 'age' && (!Array.isArray(call.children) || call.children.length !== 2))
    return 'age with one argument depends on today: give both times';
  return undefined;
}

function typeProblem(type: unknown, what: string): { problem: string } | undefined {
  if (!isRecord(type)) return undefined;
  const id = String(type.id);
  const named = isRecord(type.type_info) && typeof type.type_info.name === 'string' ? type.type_info.name : id;
  if (allowedTypes.has(id) && (type.type_info === null || id === 'DECIMAL')) return undefined;
  return { problem: `${what} ${named} is not allowed: numbers, text, true and false, and times without a zone are` };
}

function partsOf(value: unknown): unknown[] {
  if (Array.isArray(value)) return value;
  return isRecord(value) ? Object.values(value) : [];
}
