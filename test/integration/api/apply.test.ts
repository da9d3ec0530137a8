import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { definitionDigest } from '../../../domain/model/model-definition.js';
import { ownDefinition, startApi, type TestApi } from './start-api.js';

let running: TestApi;
beforeAll(async () => {
  running = await startApi();
});
afterAll(async () => {
  // Schedules outlive the database of this file.
  await running.api.apply({ definitions: [], prune: true, actor: 'test' });
  await running.close();
});

const actor = 'ada@example.org';
const summary = async (definitions: unknown[], options: { plan?: boolean; prune?: boolean } = {}) => {
  const result = await running.api.apply({ definitions, actor, ...options });
  const ids = (changes: { id: string }[]) => changes.map((change) => change.id.split('/').at(-1));
  const { created, changed, removed, unchanged } = result.schedules;
  return {
    definitions: result.definitions.map((one) => one.change),
    created: ids(created),
    changed: ids(changed),
    removed: ids(removed),
    unchanged: ids(unchanged),
  };
};

describe('applying a definition', () => {
  const definition = ownDefinition();
  const nothing = { created: [], changed: [], removed: [], unchanged: [] };

  test('a plan says what would be created and creates nothing', async () => {
    const planned = { ...nothing, definitions: ['created'], created: ['monthly'] };
    expect(await summary([definition], { plan: true })).toEqual(planned);
    expect(await summary([definition], { plan: true })).toEqual(planned);
    expect((await running.api.models()).items.map((model) => model.name)).not.toContain(definition.name);
  });

  test('an apply makes it known, with its schedule and the next firing', async () => {
    const result = await running.api.apply({ definitions: [definition], actor });
    expect(result.applied).toBe(true);
    expect(result.definitions).toEqual([
      {
        model: definition.name,
        change: 'created',
        fromSha256: null,
        toSha256: definitionDigest(definition),
        changedPaths: [],
      },
    ]);
    expect(result.schedules.created).toMatchObject([
      {
        id: `perdure/${definition.name}/monthly`,
        cron: '0 6 2 * *',
        timeZone: 'America/New_York',
        nextFiring: expect.stringMatching(/-02T1[01]:00:00/),
      },
    ]);
    expect((await running.api.models()).items).toMatchObject([
      {
        name: definition.name,
        appliedBy: actor,
        newestVersion: null,
        watermark: null,
        definitionSha256: definitionDigest(definition),
      },
    ]);
  });

  test('a mistake in an expression is refused with its place, and a feature made of what the label is made of is warned of', async () => {
    const withFeature = (from: string) => {
      const odd = ownDefinition();
      return {
        ...odd,
        contract: {
          ...odd.contract,
          features: { ...odd.contract.features, odd: { type: 'number' as const, nullable: true, from } },
        },
      };
    };
    await expect(
      running.api.apply({ definitions: [withFeature('distnace / 2')], actor, plan: true }),
    ).rejects.toMatchObject({
      code: 'definition/invalid',
      details: { problems: [{ path: 'contract.features.odd.from' }] },
    });
    const leaking = withFeature('arr_delay / 2');
    const { warnings } = await running.api.apply({ definitions: [leaking], actor, plan: true });
    expect(warnings).toMatchObject([{ model: leaking.name, path: 'contract.features.odd.from' }]);
  });

  test('the same again changes nothing', async () => {
    expect(await summary([definition])).toEqual({ ...nothing, definitions: ['unchanged'], unchanged: ['monthly'] });
  });

  test('a change names its paths and digests; changed, added and dropped schedules follow it', async () => {
    const changed = {
      ...definition,
      training: { ...definition.training, parameters: { ...definition.training.parameters, num_leaves: 15 } },
      triggers: { schedules: [{ name: 'weekly', cron: '0 6 * * 1', timeZone: 'UTC', paused: true }] },
    };
    const plan = await running.api.apply({ definitions: [changed], actor, plan: true });
    expect(plan.definitions[0]).toMatchObject({
      change: 'changed',
      fromSha256: definitionDigest(definition),
      toSha256: definitionDigest(changed),
    });
    expect(plan.definitions[0]?.changedPaths).toContain('training.parameters.num_leaves');
    expect(await summary([changed])).toEqual({
      ...nothing,
      definitions: ['changed'],
      created: ['weekly'],
      removed: ['monthly'],
    });
    const moved = {
      ...changed,
      triggers: { schedules: [{ name: 'weekly', cron: '0 7 * * 1', timeZone: 'UTC', paused: true }] },
    };
    expect(await summary([moved])).toEqual({ ...nothing, definitions: ['changed'], changed: ['weekly'] });
    expect(await summary([moved])).toEqual({ ...nothing, definitions: ['unchanged'], unchanged: ['weekly'] });
  });

  test('a model that is not named is kept, and retired with prune, its schedules too', async () => {
    expect(await summary([])).toEqual({ ...nothing, definitions: ['kept'] });
    expect(await summary([], { prune: true, plan: true })).toEqual({
      ...nothing,
      definitions: ['retired'],
      removed: ['weekly'],
    });
    expect(await summary([], { prune: true })).toEqual({ ...nothing, definitions: ['retired'], removed: ['weekly'] });
    expect((await running.api.models()).items).toEqual([]);
  });

  test('a retired model comes back by the next apply', async () => {
    expect((await summary([definition])).definitions).toEqual(['created']);
    expect((await running.api.models()).items).toHaveLength(1);
  });
});

describe('a definition that is wrong', () => {
  const good = ownDefinition();

  test('is refused with every path, and nothing beside it is applied', async () => {
    const wrong = {
      ...ownDefinition(),
      owner: '',
      evaluation: { gates: [{ name: '', metric: 'rocAuc', atLeast: 1 }] },
    };
    await expect(running.api.apply({ definitions: [good, wrong], actor })).rejects.toMatchObject({
      code: 'definition/invalid',
      message: expect.stringMatching(/owner[^]*evaluation\.gates\[0\]\.name/),
    });
    expect((await running.api.models()).items.map((model) => model.name)).not.toContain(good.name);
  });

  test.each(['61 * * * *', '0 0 1 1 * 2026', 'every day at six'])(
    'the cron expression %j is refused with the model and an example',
    async (cron) => {
      const wrong = ownDefinition({
        triggers: { schedules: [{ name: 'often', cron, timeZone: 'UTC', paused: false }] },
      });
      await expect(running.api.apply({ definitions: [good, wrong], actor })).rejects.toThrow(
        new RegExp(`${wrong.name}.*often.*valid one`, 's'),
      );
      expect((await running.api.models()).items.map((model) => model.name)).not.toContain(good.name);
    },
  );

  test('two of one name are refused', async () => {
    await expect(running.api.apply({ definitions: [good, good], actor })).rejects.toMatchObject({
      code: 'definition/invalid',
    });
  });
});

describe('the command line', () => {
  test('apply shows the plan, applies it, and the second time finds nothing to change', async () => {
    const first = await running.perdure('apply');
    expect(first.code).toBe(0);
    expect(first.stderr).toContain('flight-delay');
    const second = await running.perdure('apply', '--json');
    expect(JSON.parse(second.stdout)).toMatchObject({
      applied: true,
      definitions: expect.arrayContaining([expect.objectContaining({ model: 'flight-delay', change: 'unchanged' })]),
    });
    expect((await running.perdure('apply')).stdout).toBe('Nothing to change.\n');
  });
});
