import { describe, expect, it } from 'vitest';
import { belowFloor, floorDigest, floorOf, floorSchema, floorsSchema } from '../../../../domain/promotion/floor.js';
import { parseModelDefinition } from '../../../../domain/model/parse-definition.js';
import { type ModelDefinitionInput } from '../../../../domain/model/model-definition.js';
import flightDelay from '../../../../models/flight-delay/model.js';
import repeatPurchase from '../../../../models/repeat-purchase/model.js';
import { loadPerdureConfig } from '../../../../perdure.config.js';

const configured = loadPerdureConfig({}).floors.configured;
const floor = (asked: Parameters<typeof floorSchema.parse>[0]) => floorSchema.parse(asked);
const model = (change: Partial<ModelDefinitionInput>) => parseModelDefinition({ ...flightDelay, ...change });
const approvals = (change: object) => model({ promotion: { approvals: change } });

describe('the floor of an environment', () => {
  it('as it is configured lets the models of the checkout pass', () => {
    const floors = floorsSchema.parse(configured);
    for (const definition of [flightDelay, repeatPurchase])
      for (const environment of definition.promotion.environments)
        expect(belowFloor(definition, floorOf(floors, environment))).toEqual([]);
  });

  it('of production does not take what a definition would like to do without', () => {
    const production = floorOf(floorsSchema.parse(configured), 'production');
    const bare = model({
      promotion: { approvals: { count: 0 } },
      evaluation: { ...flightDelay.evaluation, confidencePct: 50 },
    });
    expect(belowFloor(bare, production).map((problem) => problem.split(':')[0])).toEqual([
      'evaluation.confidencePct',
      'promotion.approvals',
    ]);
  });

  it('asks nothing where none is named, and has a digest that changes with it', () => {
    expect(belowFloor(model({ promotion: { approvals: { count: 0 } } }), floorOf({}, 'staging'))).toEqual([]);
    expect(floorDigest(floor({ approvals: { count: 1 } }))).not.toBe(floorDigest(floor({})));
  });

  it.each([
    ['too few approvals', approvals({ count: 1 }), { approvals: { count: 2 } }, 'promotion.approvals: 1, at least 2'],
    [
      'roles that anybody may have',
      approvals({ roles: ['approver', 'intern'] }),
      { approvals: { count: 1, roles: ['approver'] } },
      'approvals: 0, at least 1 from approver alone',
    ],
    [
      'an escalation to others',
      model({ promotion: { escalateAfterHours: 1, escalateTo: ['intern'] } }),
      { approvals: { count: 1, roles: ['approver'] } },
      'promotion.approvals: 0',
    ],
    ['a first version by itself', model({}), { firstVersion: 'approval' }, 'promotion.firstVersion'],
    [
      'another strategy',
      model({}),
      { strategies: ['shadow', 'ab'] },
      'rollout.strategy: canary, shadow, ab are allowed',
    ],
    [
      'a metric that is not judged',
      model({}),
      { judge: { metrics: ['errorShare', 'quality:error'] } },
      'rollout.judge.metrics: quality:error',
    ],
    ['too great an alpha', model({}), { judge: { alphaMax: 0.01 } }, 'rollout.judge.alpha: 0.05'],
    [
      'narrow intervals',
      model({ evaluation: { ...flightDelay.evaluation, confidencePct: 60 } }),
      { confidencePctMin: 90 },
      'evaluation.confidencePct: 60',
    ],
    ['no gate on a metric', model({}), { gates: [{ metric: 'brier', atMost: 0.2 }] }, 'a gate on brier'],
    ['a gate that is too lax', model({}), { gates: [{ metric: 'rocAuc', atLeast: 0.81 }] }, 'a gate on rocAuc'],
    [
      'a gate of another kind',
      model({}),
      { gates: [{ metric: 'rocAuc', worseThanChampionByAtMost: 0.1 }] },
      'a gate on rocAuc',
    ],
    [
      'a gate on a slice alone',
      model({
        evaluation: {
          ...flightDelay.evaluation,
          gates: [{ name: 'n', metric: 'rocAuc', atLeast: 0.9, slice: 'origin' }],
        },
      }),
      { gates: [{ metric: 'rocAuc', atLeast: 0.5 }] },
      'a gate on rocAuc over all rows',
    ],
  ])('names %s', (_, definition, asked, problem) => {
    expect(belowFloor(definition, floor(asked))).toEqual([expect.stringContaining(problem)]);
  });

  it('is kept by what is as strict', () => {
    const asked = {
      gates: [
        { metric: 'rocAuc', atLeast: 0.8 },
        { metric: 'logLoss', atMost: 0.5 },
        { metric: 'logLoss', worseThanChampionByAtMost: 0.03 },
      ],
    };
    expect(belowFloor(model({}), floor(asked))).toEqual([]);
    const both = approvals({ count: 1, alsoRequire: [{ roles: ['risk'] }] });
    expect(belowFloor(both, floor({ approvals: { count: 1, roles: ['risk', 'owner'] } }))).toEqual([]);
  });

  it('may stand in a file that the configuration names', () => {
    expect(loadPerdureConfig({ PERDURE_FLOORS_FILE: 'mine.json' }).floors.file).toMatch(/\/mine\.json$/);
    expect(loadPerdureConfig({}).floors.file).toBeUndefined();
    expect(floorsSchema.safeParse({ production: { approval: {} } }).success).toBe(false);
  });

  it('asks a gate of models whose task has the metric, with its k, and of no others', () => {
    const gates = [{ name: 'order', metric: 'ndcg', k: 10, atLeast: 0.4 }];
    const ranking = { ...model({}), task: 'ranking' as const };
    const asked = floor({
      gates: [
        { metric: 'ndcg', k: 10, atLeast: 0.3 },
        { metric: 'rocAuc', atLeast: 0.7 },
      ],
    });
    const { evaluation } = ranking;
    const ranked = { ...ranking, evaluation: { ...evaluation, gates: [{ minRows: 200, ...gates[0]! }] } };
    expect(belowFloor(ranked, asked)).toEqual([]);
    const other = { ...ranking, evaluation: { ...evaluation, gates: [{ minRows: 200, ...gates[0]!, k: 5 }] } };
    expect(belowFloor(other, asked)).toEqual([expect.stringContaining('a gate on ndcg@10 over all rows is required')]);
    expect(() => floor({ gates: [{ metric: 'rocauc', atLeast: 0.7 }] })).toThrow('is no metric of any task');
  });
});
