import { execFile } from 'node:child_process';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { z } from 'zod';
import { eventually } from '../../../support/poll-until.js';
import { createTestWorld, type TestWorld } from '../../../support/gateway-harness.js';
import { embeddingOf, grades, multiclass, ranking, regression } from '../task-models.js';

const models = [regression, multiclass, grades, ranking, embeddingOf(300)];
const xs = [0.75, -2, 30.5];
const python = fileURLToPath(new URL('../../../../.tools/clients/bin/python', import.meta.url));

const outputsSchema = z.record(
  z.string(),
  z.object({ shape: z.array(z.number()), type: z.string(), data: z.array(z.union([z.number(), z.string()])) }),
);
const metadataSchema = z.record(z.string(), z.tuple([z.string(), z.array(z.number())]));
const reportSchema = z.record(
  z.string(),
  z.object({
    ...{ metadata: metadataSchema, grpcMetadata: metadataSchema },
    ...{ binary: outputsSchema, json: outputsSchema, grpc: outputsSchema },
  }),
);

let world: TestWorld;
let report: z.infer<typeof reportSchema>;
beforeAll(async () => {
  world = await createTestWorld();
  for (const { definition, bytes } of models) {
    const served = await world.addVersion(1, 0, { definition, bytes });
    if (definition === grades.definition) Object.assign(served, { classes: grades.classes });
    world.controlPlane.route(definition.name, 1, [{ version: 1, sharePct: 100 }]);
  }
  const { gateway, url, grpcAddress } = await world.start();
  await eventually('all are served', () => gateway.status().routes.length === models.length);
  const script = fileURLToPath(new URL('./task_client.py', import.meta.url));
  const names = models.map(({ definition }) => definition.name);
  const args = [script, new URL(url).host, grpcAddress, JSON.stringify(names), JSON.stringify(xs)];
  const { stdout } = await promisify(execFile)(python, args, { cwd: path.dirname(script), maxBuffer: 16 * 1024 ** 2 });
  report = reportSchema.parse(JSON.parse(stdout));
});
afterAll(() => world.close());

const types: Record<string, string> = { FP32: 'float32', INT64: 'int64', BYTES: 'object' };

test.each(models.map((one) => [one.definition.name, one] as const))(
  'tritonclient gets every output of %s, of its type and shape, by binary tensors, by JSON and over gRPC',
  (name, one) => {
    const asked = report[name];
    expect(asked?.grpcMetadata).toEqual(asked?.metadata);
    const names = Object.keys(one.expected(0)).toSorted();
    for (const answer of [asked?.binary, asked?.json, asked?.grpc]) {
      expect(Object.keys(answer ?? {}).toSorted()).toEqual(names);
      for (const [output, { shape, type, data }] of Object.entries(answer ?? {})) {
        const [datatype = '', told = []] = asked?.metadata[output] ?? [];
        expect([shape, type]).toEqual([[xs.length, ...told.slice(1)], types[datatype]]);
        const wanted = xs.flatMap((x) => one.expected(x)[output] ?? 'missing');
        expect(data).toHaveLength(wanted.length);
        for (const [at, value] of wanted.entries())
          if (typeof value === 'string') expect(data[at]).toBe(value);
          else expect(Number(data[at])).toBeCloseTo(value, 5);
      }
    }
  },
);
