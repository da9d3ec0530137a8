import { describe, expect, it } from 'vitest';
import type { ContractChange } from '../../../domain/data/contract-change.js';
import { compareContracts } from '../../../domain/data/contract-compatibility.js';
import { contractSchema, type AcceptedFeature, type Contract, type Feature } from '../../../domain/data/contract.js';
import { seededRandom, type Random } from '../../../domain/statistics/random.js';
import { compileContract } from '../../../inference/compiled-contract.js';
import type { InputTensor } from '../../../inference/input-tensor.js';

const today = '2026-03-15';
const levels = ['a', 'bb', 'ccc', '🍕🍕'];

const pick = <T>(random: Random, values: readonly T[]): T => values[random.below(values.length)]!;

function randomValues(random: Random) {
  const nullable = random.below(3) === 0 ? { nullable: true } : {};
  if (random.below(2) === 0) {
    const [min, max] = [pick(random, [undefined, -1, 0, 0.1]), pick(random, [undefined, 1, 2.5, 9])];
    return { type: 'number', ...nullable, ...(min !== undefined && { min }), ...(max !== undefined && { max }) };
  }
  const listed = levels.filter(() => random.below(2) === 0);
  const known = listed.length === 0 ? {} : { levels: listed, ...(random.below(2) === 0 && { closed: true }) };
  return { type: 'string', ...nullable, ...known, maxLength: pick(random, [3, 4, 7]) };
}

const defaultOf = (values: object) =>
  'closed' in values && 'levels' in values
    ? (values.levels as string[])[0]
    : 'min' in values || 'max' in values
      ? 1
      : undefined;

/** A contract over the names a to d: some features, some with a default, some that are accepted still. */
function randomContract(random: Random, before?: Contract): Contract {
  const features: Record<string, unknown> = {};
  const accepts: Record<string, unknown> = {};
  for (const name of ['a', 'b', 'c', 'd']) {
    const kept = before?.features[name];
    // Half of what there was stays as it is: else hardly any pair were compatible.
    if (kept !== undefined && random.below(2) === 0) features[name] = kept;
    else if (random.below(4) !== 0) {
      const values = randomValues(random);
      const absent = random.below(2) === 0 ? defaultOf(values) : undefined;
      features[name] = { ...values, ...(absent !== undefined && { default: absent }) };
    } else if (random.below(3) !== 0) accepts[name] = { ...randomValues(random), until: '2026-12-31' };
  }
  if (Object.keys(features).length === 0) features['e'] = { type: 'number' };
  return contractSchema.parse({
    entity: ['id'],
    eventTime: 'at',
    label: { name: 'late', type: 'boolean' },
    features,
    accepts,
  });
}

type Value = number | string | null | undefined;

/** Values at the edges of what was promised of a feature, undefined where it may be left out. */
function edges(feature: Feature | AcceptedFeature): Value[] {
  const missing: Value[] = feature.nullable
    ? [null, undefined]
    : ('default' in feature && feature.default !== undefined) || 'until' in feature
      ? [undefined]
      : [];
  if (feature.type === 'number') return [feature.min ?? -3e38, feature.max ?? 3e38, ...missing];
  if (feature.type !== 'string') throw new Error(`no edges of a ${feature.type} are listed`);
  if (feature.closed) return [...(feature.levels ?? []), ...missing];
  return ['z', 'z'.repeat(feature.maxLength), '🍕'.repeat(feature.maxLength), ...levels, ...missing];
}

/** Requests that cover every edge of every feature; features are independent of each other. */
function promisedRequests({ features, accepts = {} }: Contract): Map<string, InputTensor>[] {
  const all = Object.entries<Feature | AcceptedFeature>({ ...features, ...accepts });
  const usual = new Map(all.map(([name, feature]) => [name, edges(feature)[0]]));
  return all.flatMap(([name, feature]) =>
    edges(feature).map((value) => {
      const request = new Map<string, InputTensor>();
      for (const [other, type] of all.map(([one, { type: of }]) => [one, of] as const)) {
        const sent = other === name ? value : usual.get(other);
        if (sent === undefined) continue;
        request.set(other, {
          name: other,
          datatype: type === 'number' ? 'FP32' : 'BYTES',
          shape: [1, 1],
          data: [sent],
          bytes: undefined,
        });
      }
      return request;
    }),
  );
}

/** As a gateway asks it where the contract's version is the route's only one. */
function admits(contract: Contract) {
  const compiled = compileContract(contract);
  const others = new Map(
    Object.keys(contract.accepts ?? {}).map((name) => [name, { check: undefined, seen: () => {} }]),
  );
  return (request: Map<string, InputTensor>): boolean => {
    try {
      compiled.readRows(request, others);
      return true;
    } catch {
      return false;
    }
  };
}

describe('what is called compatible', () => {
  it('is so for the gateway: exactly then a challenger admits every request that the champion admits', () => {
    const random = seededRandom(20_260_315);
    const verdicts = { compatible: 0, 'compatible-with-defaults': 0, breaking: 0 };
    for (let pair = 0; pair < 1500; pair += 1) {
      const champion = randomContract(random);
      const challenger = randomContract(random, champion);
      const { verdict, changes } = compareContracts({ admitted: [champion], challenger, today });
      verdicts[verdict] += 1;
      const [answeredToday, answeredThen] = [admits(champion), admits(challenger)];
      const requests = promisedRequests(champion).filter((request) => request.size > 0 && answeredToday(request));
      const refused = requests.filter((request) => !answeredThen(request));
      const described = {
        champion,
        challenger,
        changes: changes.map(
          ({ feature, change, breaking }: ContractChange) => `${feature} ${change}${breaking ? '!' : ''}`,
        ),
      };
      expect({ ...described, refuses: refused.length > 0 }).toEqual({ ...described, refuses: verdict === 'breaking' });
    }
    // The pairs say something of each verdict.
    for (const count of Object.values(verdicts)) expect(count).toBeGreaterThan(10);
  });
});
