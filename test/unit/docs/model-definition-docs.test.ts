import { expect, test } from 'vitest';
import { z } from 'zod';
import { allowedFunctions } from '../../../adapters/data-engine/expressions/allowed-functions.js';
import { modelDefinitionSchema } from '../../../domain/model/model-definition.js';
import { documentText } from './documents.js';

const nodeSchema = z.looseObject({
  properties: z.record(z.string(), z.unknown()).optional(),
  additionalProperties: z.unknown().optional(),
  items: z.unknown().optional(),
  anyOf: z.array(z.unknown()).optional(),
  oneOf: z.array(z.unknown()).optional(),
});

/** Paths of all fields of a JSON Schema; what stands under a name or a place is `*`. */
function fieldPaths(schema: unknown, at: string): string[] {
  const parsed = nodeSchema.safeParse(schema);
  if (!parsed.success) return [];
  const { properties = {}, additionalProperties, items, anyOf = [], oneOf = [] } = parsed.data;
  const own = Object.entries(properties).flatMap(([name, value]) => {
    const path = at === '' ? name : `${at}.${name}`;
    return [path, ...fieldPaths(value, path)];
  });
  return [
    ...own,
    ...fieldPaths(additionalProperties, `${at}.*`),
    ...fieldPaths(items, `${at}.*`),
    ...[...anyOf, ...oneOf].flatMap((choice) => fieldPaths(choice, at)),
  ];
}

const fields = [...new Set(fieldPaths(z.toJSONSchema(modelDefinitionSchema, { io: 'input' }), ''))];
const page = documentText('docs/model-definition.md');
const sections = new Set([
  'contract',
  'contract.label',
  'contract.output',
  'data',
  'data.expectations',
  'data.window',
  'training',
  'evaluation',
  'promotion',
  'promotion.approvals',
  'rollout',
  'rollout.judge',
  'monitoring',
  'triggers',
]);

test('docs/model-definition.md names every field of a definition', () => {
  expect(fields.length).toBeGreaterThan(60);
  const stands = (field: string) => page.includes(`\`${field}\``);
  // Every metric of a rollout has the same fields: the page names them once.
  const named = (field: string) =>
    [
      field,
      field.replace('contract.features.*.', ''),
      field.replace(/^rollout\.(outcome|lateLabels\.metric)\./, 'rollout.judge.metrics.*.'),
    ].some(stands);
  expect(fields.filter((field) => !sections.has(field) && !named(field))).toEqual([]);
});

test('docs/model-definition.md names no field that a definition does not have', () => {
  const named = [...page.matchAll(/^\|([^|]+)\|/gm)].flatMap((row) =>
    [...(row[1] ?? '').matchAll(/`([a-z][\w.*]*\.[\w.*]+)`/gi)].map((match) => match[1] ?? ''),
  );
  expect(named.length).toBeGreaterThan(40);
  expect(named.filter((field) => !fields.includes(field))).toEqual([]);
});

test('docs/model-definition.md lists every function that an expression may call, and no other', () => {
  const written = Object.keys(allowedFunctions).map((group) => {
    const line = page.split('\n').find((one) => one.startsWith(`- ${group}: `)) ?? '';
    return [...line.matchAll(/`([^`]+)`/g)].map((match) => match[1]);
  });
  const internal = (name: string) => !name.startsWith('!__');
  expect(written).toEqual(Object.values(allowedFunctions).map((names) => names.filter(internal)));
});
