import { expect, test } from 'vitest';
import { contractProblems } from '../../../../domain/data/contract-problems.js';
import { contractSchema, type Contract } from '../../../../domain/data/contract.js';
import { probeInputs } from '../../../../domain/serving/probe.js';
import { seededRandom, type Random } from '../../../../domain/statistics/random.js';
import { compileContract } from '../../../../inference/compiled-contract.js';
import { parseInferRequest } from '../../../../serving/protocol/infer-request.js';

/**
 * A contract of any features that may be applied: narrow and wide ranges, closed and open levels of any length, short
 * texts, nullable ones.
 */
function someContract(random: Random): Contract | undefined {
  const chance = () => random.below(2) === 0;
  const one = <T>(...values: readonly T[]): T => values[random.below(values.length)] as T;
  const features = Object.fromEntries(
    Array.from({ length: 1 + random.below(4) }, (_, index) => {
      const nullable = chance();
      if (chance()) {
        const bounds = [
          one(-1e38, -7.5, -0.1, 0, 0.1, 1e-40, 3, 16_777_217, 1e38, 1e39),
          one(-1e39, 0, 0.3, 5, 2 ** 31, 3.4e38),
        ].toSorted((left, right) => left - right);
        return [
          `f${index}`,
          { type: 'number', nullable, ...(chance() && { min: bounds[0] }), ...(chance() && { max: bounds[1] }) },
        ];
      }
      const levels = Array.from({ length: 1 + random.below(3) }, () =>
        one('a', 'UA', '🍕🍕', 'probe', 'Ж'.repeat(40), 'a\u0000b', '\ud83c'),
      );
      const closed = chance();
      const maxLength = one(1, 2, 3, 5, 256);
      return [`f${index}`, { type: 'string', nullable, maxLength, closed, ...((closed || chance()) && { levels }) }];
    }),
  );
  const contract = contractSchema.parse({
    entity: ['id'],
    eventTime: 'at',
    label: { name: 'y', type: 'boolean' },
    features,
  });
  return contractProblems(contract).length === 0 ? contract : undefined;
}

test('whatever contract may be applied, its own gateway answers the probe, and warms the model with a row that it admits', () => {
  const random = seededRandom(11);
  let tried = 0;
  for (let round = 0; round < 3_000; round += 1) {
    const contract = someContract(random);
    if (contract === undefined) continue;
    tried += 1;
    const compiled = compileContract(contract);
    const request = parseInferRequest(
      Buffer.from(JSON.stringify({ id: 'probe', inputs: probeInputs(contract) })),
      undefined,
    );
    const { columns } = compiled.readRows(request.inputs);
    expect(columns.map(([value]) => value)).toEqual(
      compiled.sampleRow.map((value) => (typeof value === 'number' ? Math.fround(value) : value)),
    );
  }
  expect(tried).toBeGreaterThan(1_000);
});

test.each([
  ['a closed feature whose levels are all too long', { type: 'string', levels: ['probe'], closed: true, maxLength: 2 }],
  ['a range that holds no FP32 number', { type: 'number', min: 1e39 }],
])('%s admits no value, and is refused when it is applied unless it is nullable', (_, feature) => {
  const contract = (more: object) =>
    contractSchema.parse({
      entity: ['id'],
      eventTime: 'at',
      label: { name: 'y', type: 'boolean' },
      features: { x: { ...feature, ...more } },
    });
  expect(contractProblems(contract({}))).toEqual([
    { path: 'contract.features.x', message: expect.stringContaining('admits no value') },
  ]);
  expect(contractProblems(contract({ nullable: true }))).toEqual([]);
});
