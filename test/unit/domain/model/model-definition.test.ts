import { describe, expect, it } from 'vitest';
import { parseModelDefinition } from '../../../../domain/model/parse-definition.js';
import { definitionDigest } from '../../../../domain/model/model-definition.js';
import { PerdureError } from '../../../../domain/errors.js';
import flightDelay from '../../../../models/flight-delay/model.js';

/** The flights definition with one place replaced; `undefined` takes it out. */
function broken(path: string, value: unknown): unknown {
  const copy: Record<string, unknown> = JSON.parse(JSON.stringify(flightDelay));
  const parts = path.split('.');
  const last = parts.pop() ?? '';
  const place = parts.reduce<unknown>((at, part) => Reflect.get(at as object, part), copy) as object;
  if (value === undefined) Reflect.deleteProperty(place, last);
  else Reflect.set(place, last, value);
  return copy;
}

function problemsOf(value: unknown): { path: string; message: string }[] {
  try {
    parseModelDefinition(value);
  } catch (error) {
    if (error instanceof PerdureError && error.code === 'definition/invalid')
      return error.details['problems'] as { path: string; message: string }[];
    throw error;
  }
  return [];
}

describe('a model definition', () => {
  it('that is right gives no problem, and parsing it again changes nothing', () => {
    expect(problemsOf(flightDelay)).toEqual([]);
    expect(definitionDigest(parseModelDefinition(flightDelay))).toBe(definitionDigest(flightDelay));
  });

  it.each([
    ['name', 'Flight Delay', 'name'],
    ['name', undefined, 'name'],
    ['contract.entity', [], 'contract.entity'],
    ['contract.features', {}, 'contract.features'],
    ['contract.features.dow.type', 'colour', 'contract.features.dow.type'],
    ['contract.features.dow.min', 7, 'contract.features.dow.min'],
    ['contract.features.origin.levels', undefined, 'contract.features.origin.levels'],
    ['contract.features.delayed', { type: 'number' }, 'contract.features.delayed'],
    ['data.base', 'trains', 'data.base'],
    ['data.joins.0.table', 'nowhere', 'data.joins[0].table'],
    ['data.window', { kind: 'sliding', from: '2013-01', months: 1 }, 'data.window.months'],
    ['data.window.from', 'January', 'data.window.from'],
    ['training.algorithm', 'tea-leaves', 'training.algorithm'],
    ['training.memoryMB', 100, 'training'],
    ['evaluation.gates', [], 'evaluation.gates'],
    ['evaluation.gates.0.metric', 'luck', 'evaluation.gates[0].metric'],
    ['evaluation.gates.0', { name: 'two bounds', metric: 'rocAuc', atLeast: 0.5, atMost: 0.9 }, 'evaluation.gates[0]'],
    ['evaluation.slices.0', 'colour', 'evaluation.slices[0]'],
    ['promotion.environments', ['production', 'production'], 'promotion.environments'],
    ['promotion.environments', ['Moon!'], 'promotion.environments[0]'],
    ['promotion.expireAfterHours', 0, 'promotion.expireAfterHours'],
    ['rollout.strategy', 'hope', 'rollout.strategy'],
    ['rollout.steps', [{ sharePct: 25 }, { sharePct: 5 }, { sharePct: 100 }], 'rollout.steps[1].sharePct'],
    ['rollout.steps', [{ sharePct: 50 }], 'rollout.steps'],
    [
      'triggers.schedules',
      [{ name: 'monthly', cron: '0 6 2 * *', timeZone: 'Mars/Olympus' }],
      'triggers.schedules[0].timeZone',
    ],
  ])('wrong at %s is refused, and the message names the place', (path, value, named) => {
    expect(problemsOf(broken(path, value)).map((problem) => problem.path)).toContain(named);
  });

  it('with several mistakes is told all of them at once', () => {
    const problems = problemsOf({ ...(broken('training.algorithm', 'tea-leaves') as object), owner: '' });
    expect(problems.map((problem) => problem.path).sort()).toEqual(['owner', 'training.algorithm']);
  });

  it('that is no definition at all is refused as a whole', () => {
    for (const value of [null, 7, 'flight-delay', []])
      expect(problemsOf(value).map((problem) => problem.path)).toEqual(['']);
  });
});
