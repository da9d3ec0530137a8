import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { z } from 'zod';
import { mainJobReportSchema } from '../../../infra/main-job/report.js';

const file = path.join(import.meta.dirname, '../../../docs/main-job.schema.json');

/** To write it again: `UPDATE_DOCS=1 npx vitest run test/unit/docs/main-job-schema.test.ts`. */
test('docs/main-job.schema.json is the schema by which the report is written', () => {
  const schema = `${JSON.stringify(z.toJSONSchema(mainJobReportSchema, { target: 'draft-2020-12' }), null, 2)}\n`;
  if (process.env['UPDATE_DOCS']) writeFileSync(file, schema);
  expect(readFileSync(file, 'utf8')).toBe(schema);
});
