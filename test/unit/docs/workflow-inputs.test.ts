import { expect, test } from 'vitest';
import type { z } from 'zod';
import { accessSchema } from '../../../domain/promotion/access.js';
import { signalDecisionSchema, decisionSchema } from '../../../domain/promotion/promotion.js';
import {
  importRequestSchema,
  promoteRequestSchema,
  rollbackRequestSchema,
  rolloutRequestSchema,
  steeringSchema,
  trainRequestSchema,
} from '../../../domain/workflow-inputs.js';
import { codeBlocks, documentText } from './documents.js';

const operations = documentText('docs/operations.md');

const requests = {
  trainModel: trainRequestSchema,
  importVersion: importRequestSchema,
  promoteModel: promoteRequestSchema,
  rolloutModel: rolloutRequestSchema,
  rollbackModel: rollbackRequestSchema,
} satisfies Record<string, z.ZodType>;

test.each(Object.entries(requests))(
  'the Start form example of %s in docs/operations.md is a valid input',
  (workflow, schema) => {
    const at = operations.indexOf(`\n\`${workflow}\` `);
    expect(at, `a paragraph that begins with ${workflow}`).toBeGreaterThan(0);
    const following = Object.keys(requests).flatMap((other) => {
      const next = operations.indexOf(`\n\`${other}\` `, at + 1);
      return next > 0 ? [next] : [];
    });
    const section = operations.slice(at, Math.min(...following, operations.indexOf('### Decide on a promotion')));
    const examples = codeBlocks(section, 'json');
    expect(examples.length).toBeGreaterThan(0);
    for (const example of examples) schema.parse(JSON.parse(example));
  },
);

test('every message that docs/operations.md sends with the temporal command is one that the workflow takes', () => {
  const sent = [...operations.matchAll(/--name (\w+) --input '([^']+)'/g)].map((match) => ({
    name: match[1] ?? '',
    input: JSON.parse(match[2] ?? '') as unknown,
  }));
  const schemas: Record<string, z.ZodType> = {
    ...Object.fromEntries(['approve', 'reject', 'withdraw'].map((name) => [name, signalDecisionSchema])),
    ...Object.fromEntries(['pause', 'resume', 'advance', 'abort'].map((name) => [name, steeringSchema])),
    decidePromotion: decisionSchema,
  };
  expect(new Set(sent.map(({ name }) => name))).toEqual(new Set(Object.keys(schemas)));
  for (const { name, input } of sent) schemas[name]?.parse(input);
});

test('the access file that docs/operations.md shows is one', () => {
  const shown = codeBlocks(operations, 'json').find((block) => block.includes('allowRequester'));
  expect(accessSchema.parse(JSON.parse(shown ?? '{}')).allowRequester).toBe(false);
});
