import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDuckSession, type DuckSession } from '../../../../adapters/data-engine/duck-session.js';
import { expressionFindings } from '../../../../adapters/data-engine/expressions/check-expressions.js';
import { PerdureError } from '../../../../domain/errors.js';
import { parseModelDefinition } from '../../../../domain/model/parse-definition.js';
import { type ModelDefinition } from '../../../../domain/model/model-definition.js';
import flightDelay from '../../../../models/flight-delay/model.js';
import repeatPurchase from '../../../../models/repeat-purchase/model.js';

let folder: string;
let session: DuckSession;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'perdure-wrong-'));
  session = await openDuckSession({ folder, threads: 1, memoryLimitMb: 128 });
});
afterAll(async () => {
  session.close();
  await rm(folder, { recursive: true, force: true });
});

/** The flights definition with some places replaced. */
function changed(changes: Record<string, unknown>): unknown {
  const copy: Record<string, unknown> = JSON.parse(JSON.stringify(flightDelay));
  for (const [place, value] of Object.entries(changes)) {
    const parts = place.split('.');
    const last = parts.pop() ?? '';
    const at = parts.reduce<unknown>((from, part) => Reflect.get(from as object, part), copy) as object;
    if (value === undefined) Reflect.deleteProperty(at, last);
    else Reflect.set(at, last, value);
  }
  return copy;
}

interface Problem {
  path: string;
  message: string;
}

/** What `perdure apply --plan` says is wrong. */
async function problemsOf(value: unknown): Promise<Problem[]> {
  let definition: ModelDefinition;
  try {
    definition = parseModelDefinition(value);
  } catch (error) {
    if (error instanceof PerdureError && error.code === 'definition/invalid')
      return error.details['problems'] as Problem[];
    throw error;
  }
  return (await expressionFindings(session, definition)).problems;
}

const feature = (from: string, type: 'number' | 'string' = 'number') => ({ type, nullable: true, from });
const canary = (step: Record<string, unknown>, more: Record<string, unknown> = {}) => ({
  strategy: 'canary',
  steps: [{ sharePct: 100, ...step }],
  ...more,
});
const judged = (...metrics: unknown[]) => canary({}, { judge: { metrics: [{ metric: 'errorShare' }, ...metrics] } });
const value = {
  metric: 'value',
  name: 'cost',
  from: 'temp',
  min: 0,
  max: 10,
  direction: 'lower-is-better',
  margin: 1,
  harm: 5,
};
const gate = (rule: Record<string, unknown>) => ({ 'evaluation.gates.0': { name: 'odd', ...rule } });
const quality = { metric: 'quality', loss: 'brier', margin: 0.01, harm: 0.1 };

describe('a plan', () => {
  it('has nothing against the models that come with the product', async () => {
    expect(await problemsOf(flightDelay)).toEqual([]);
    expect(await problemsOf(repeatPurchase)).toEqual([]);
  });

  it.each<[string, Record<string, unknown>, string, RegExp]>([
    // Columns that are not there, or not what they must be.
    [
      'a feature without a column',
      { 'contract.features.tmep': { type: 'number' } },
      'contract.features.tmep',
      /nearest is temp/,
    ],
    [
      'a feature of a wrong type',
      { 'contract.features.dest': { type: 'number' } },
      'contract.features.dest',
      /gives VARCHAR; it must give a number/,
    ],
    [
      'a text from a number',
      { 'contract.features.seats': { type: 'string' } },
      'contract.features.seats',
      /must give text/,
    ],
    [
      'an unknown column',
      { 'contract.features.odd': feature('distnace / 2') },
      'contract.features.odd.from',
      /nearest is distance/,
    ],
    [
      'an unknown table',
      { 'contract.features.odd': feature('wether.temp') },
      'contract.features.odd.from',
      /not a table/,
    ],
    [
      'an unknown column of a table',
      { 'contract.features.odd': feature('weather.tempp') },
      'contract.features.odd.from',
      /nearest/,
    ],
    [
      'a column of two joined tables',
      { 'data.tables.planes.columns.temp': 'number', 'contract.features.odd': feature('temp + 1') },
      'contract.features.odd.from',
      /write weather\.temp/,
    ],
    ['no entity column', { 'contract.entity': ['time_hour', 'flght'] }, 'contract.entity[1]', /nearest is flight/],
    ['no event time column', { 'contract.eventTime': 'timehour' }, 'contract.eventTime', /time_hour/],
    [
      'an event time that is no time',
      { 'contract.eventTime': 'sched_dep_time', 'contract.entity': ['carrier', 'flight'] },
      'contract.eventTime',
      /must give a timestamp/,
    ],
    ['no label column', { 'contract.label': { name: 'delayed', type: 'boolean' } }, 'contract.label', /column delayed/],
    ['a label that is a number', { 'contract.label.from': 'arr_delay' }, 'contract.label.from', /true or false/],
    ['a label with a typo', { 'contract.label.from': 'arr_dleay > 15' }, 'contract.label.from', /nearest is arr_delay/],
    // SQL that is none, or none that is let through.
    [
      'half an expression',
      { 'contract.features.odd': feature('temp +') },
      'contract.features.odd.from',
      /syntax error/,
    ],
    [
      'a statement',
      { 'contract.features.odd': feature('temp; DROP TABLE x') },
      'contract.features.odd.from',
      /syntax error/,
    ],
    ['an aggregate', { 'contract.features.odd': feature('avg(temp)') }, 'contract.features.odd.from', /avg/],
    ['chance', { 'contract.features.odd': feature('temp + random()') }, 'contract.features.odd.from', /random/],
    ['the clock', { 'contract.features.odd': feature('epoch(now())') }, 'contract.features.odd.from', /now/],
    [
      'a setting',
      { 'contract.features.odd': feature("current_setting('threads')", 'string') },
      'contract.features.odd.from',
      /current_setting/,
    ],
    [
      'a bomb',
      { 'contract.features.odd': feature("lpad('a', 2000000000, 'b')", 'string') },
      'contract.features.odd.from',
      /lpad/,
    ],
    [
      'a bomb in the label',
      { 'contract.label.from': "length(repeat('a', 2000000000)) > 1" },
      'contract.label.from',
      /repeat/,
    ],
    [
      'a function with a typo',
      { 'contract.features.odd': feature('sqroot(temp)') },
      'contract.features.odd.from',
      /sqroot/,
    ],
    [
      'a function of wrong arguments',
      { 'contract.features.odd': feature('sqrt(carrier, 2)') },
      'contract.features.odd.from',
      /sqrt/,
    ],
    [
      'text compared with a number',
      { 'contract.features.odd': feature('CASE WHEN carrier > 5 THEN time_hour END') },
      'contract.features.odd.from',
      /Cannot compare/,
    ],
    [
      'a constant that is no date',
      { 'contract.features.odd': feature("date_diff('day', DATE '2013-02-31', time_hour)") },
      'contract.features.odd.from',
      /out of range|Conversion/,
    ],
    [
      'a zone',
      { 'contract.features.odd': feature("hour(time_hour AT TIME ZONE 'America/New_York')") },
      'contract.features.odd.from',
      /timezone/,
    ],
    // Tables and joins.
    [
      'a join of two types',
      { 'data.tables.planes.columns.tailnum': 'integer' },
      'data.joins[1].on',
      /string in flights and integer in planes/,
    ],
    ['a join of no table', { 'data.joins.0.table': 'wether' }, 'data.joins[0].table', /no table/],
    ['a join on no column', { 'data.joins.0.on': ['origin', 'hour'] }, 'data.joins[0].on', /hour is not a column/],
    [
      'a table joined twice',
      { 'data.joins.1': { table: 'weather', on: ['origin', 'time_hour'] } },
      'data.joins',
      /weather is used twice/,
    ],
    [
      'a base joined to itself',
      { 'data.joins.1': { table: 'flights', on: ['tailnum'] } },
      'data.joins[1].table',
      /itself/,
    ],
    [
      'a key that is no column',
      { 'data.tables.planes.key': ['tail'] },
      'data.tables.planes.key',
      /tail is not a column/,
    ],
    [
      'a column that is named like a joined table',
      { 'data.tables.flights.columns.planes': 'string' },
      'data.tables.flights.columns',
      /joined table/,
    ],
    [
      'two columns but for case',
      { 'data.tables.weather.columns.Temp': 'number' },
      'data.tables.weather.columns',
      /used twice/,
    ],
    [
      'two features but for case',
      { 'contract.features.Temp': { type: 'number', from: 'dewp' } },
      'contract.features',
      /used twice/,
    ],
    ['a column of no type', { 'data.tables.planes.columns.seats': 'float' }, 'data.tables.planes.columns.seats', /./],
    ['a table without columns', { 'data.tables.empty': { columns: {} } }, 'data.tables.empty.columns', /no column/],
    [
      'expectations that nothing meets',
      { 'data.expectations': { volumeRatioMin: 3, volumeRatioMax: 2 } },
      'data.expectations.volumeRatioMin',
      /greater/,
    ],
    ['a base that is replaced whole', { 'data.tables.flights.partitioned': false }, 'data.base', /partitioned/],
    // Features.
    ['a range upside down', { 'contract.features.temp.min': 200 }, 'contract.features.temp.min', /greater/],
    ['a range beyond a float', { 'contract.features.temp.max': 1e39 }, 'contract.features.temp.max', /32-bit/],
    [
      'a level twice',
      { 'contract.features.origin.levels': ['EWR', 'JFK', 'EWR'] },
      'contract.features.origin.levels',
      /EWR is listed twice/,
    ],
    [
      'a level that is too long',
      { 'contract.features.origin.maxLength': 2 },
      'contract.features.origin.levels',
      /longer than maxLength/,
    ],
    [
      'the event time as a feature',
      { 'contract.features.time_hour': { type: 'number' } },
      'contract.eventTime',
      /cannot be a feature/,
    ],
    ['the label in the entity', { 'contract.entity': ['time_hour', 'delayed'] }, 'contract.label.name', /label cannot/],
    // Gates.
    ['a ROC AUC of 7', gate({ metric: 'rocAuc', atLeast: 7 }), 'evaluation.gates[0].atLeast', /never pass/],
    ['a ROC AUC of 1', gate({ metric: 'rocAuc', atLeast: 1 }), 'evaluation.gates[0].atLeast', /with no mistake/],
    ['a ROC AUC below nothing', gate({ metric: 'rocAuc', atLeast: -1 }), 'evaluation.gates[0].atLeast', /never fail/],
    ['an accuracy in percent', gate({ metric: 'accuracy', atLeast: 90 }), 'evaluation.gates[0].atLeast', /0 to 1/],
    ['a log loss below zero', gate({ metric: 'logLoss', atMost: -0.1 }), 'evaluation.gates[0].atMost', /never pass/],
    ['a Brier score of 1', gate({ metric: 'brier', atMost: 1 }), 'evaluation.gates[0].atMost', /never fail/],
    ['a log loss of at least', gate({ metric: 'logLoss', atLeast: 0.5 }), 'evaluation.gates[0].atLeast', /smaller/],
    [
      'a recall that may fall by 1',
      gate({ metric: 'recall', worseThanChampionByAtMost: 1 }),
      'evaluation.gates[0].worseThanChampionByAtMost',
      /never fail/,
    ],
    [
      'two gates against each other',
      {
        ...gate({ metric: 'rocAuc', atMost: 0.7 }),
        'evaluation.gates.1': { name: 'floor', metric: 'rocAuc', atLeast: 0.8 },
      },
      'evaluation.gates[0].atMost',
      /floor/,
    ],
    [
      'a gate on no slice',
      gate({ metric: 'rocAuc', atLeast: 0.7, slice: 'dest' }),
      'evaluation.gates[0].slice',
      /slices/,
    ],
    [
      'a slice of a wide number',
      { 'evaluation.slices': ['origin', 'dep_delay'] },
      'evaluation.slices[1]',
      /wide range/,
    ],
    ['a slice twice', { 'evaluation.slices': ['origin', 'carrier', 'origin'] }, 'evaluation.slices[2]', /twice/],
    ['a threshold of 0', { 'evaluation.threshold': 0 }, 'evaluation.threshold', /positive/],
    [
      'too few rounds for the interval',
      { 'evaluation.bootstrapRounds': 100, 'evaluation.confidencePct': 99.9 },
      'evaluation.bootstrapRounds',
      /2000/,
    ],
    ['parity that holds always', { 'evaluation.parityMax': 1 }, 'evaluation.parityMax', /never fail/],
    // Training.
    [
      'an unknown parameter',
      { 'training.parameters': { num_leafs: 31 } },
      'training.parameters.num_leafs',
      /nearest is num_leaves/,
    ],
    [
      'a parameter of another trainer',
      { 'training.algorithm': 'xgboost' },
      'training.parameters.num_leaves',
      /xgboost has no such/,
    ],
    [
      'a parameter out of range',
      { 'training.parameters': { learning_rate: 3 } },
      'training.parameters.learning_rate',
      /to 1/,
    ],
    [
      'a parameter of a wrong type',
      { 'training.parameters': { num_leaves: '31' } },
      'training.parameters.num_leaves',
      /whole number/,
    ],
    [
      'an unknown estimator',
      { 'training.algorithm': 'sklearn', 'training.parameters': { estimator: 'forest' } },
      'training.parameters.estimator',
      /logistic-regression/,
    ],
    // Rollouts.
    [
      'a stage that ends before it passes',
      { rollout: canary({ minSeconds: 600, maxSeconds: 300 }) },
      'rollout.steps[0].minSeconds',
      /end before/,
    ],
    [
      'a bake that ends before it passes',
      { rollout: { strategy: 'blue-green', bake: { minSeconds: 7200 } } },
      'rollout.bake.minSeconds',
      /3600/,
    ],
    [
      'a shadow that ends before it passes',
      { rollout: { strategy: 'shadow', minSeconds: 20, maxSeconds: 10 } },
      'rollout.minSeconds',
      /maxSeconds/,
    ],
    [
      'a test that ends before it passes',
      { rollout: { strategy: 'ab', outcome: quality, minSeconds: 100, horizon: { maxSeconds: 50 } } },
      'rollout.minSeconds',
      /horizon/,
    ],
    [
      'a test that ends before its labels',
      { rollout: { strategy: 'ab', outcome: { ...quality, minLabels: 900 }, horizon: { observations: 500 } } },
      'rollout.outcome.minLabels',
      /horizon/,
    ],
    [
      'looks after the end',
      { rollout: canary({ maxSeconds: 60 }, { lookEverySeconds: 90 }) },
      'rollout.lookEverySeconds',
      /no look before it ends/,
    ],
    [
      'a share that falls',
      { rollout: { strategy: 'canary', steps: [{ sharePct: 50 }, { sharePct: 20 }, { sharePct: 100 }] } },
      'rollout.steps[1].sharePct',
      /greater/,
    ],
    [
      'a canary that never ends',
      { rollout: { strategy: 'canary', steps: [{ sharePct: 50 }] } },
      'rollout.steps',
      /100/,
    ],
    [
      'a harm below the margin',
      { rollout: judged({ metric: 'slowShare', marginPct: 20, harmPct: 10 }) },
      'rollout.judge.metrics[1].harmPct',
      /greater than the margin/,
    ],
    [
      'a harm that cannot be',
      { rollout: judged({ ...value, harm: 11 }) },
      'rollout.judge.metrics[1].harm',
      /never be seen/,
    ],
    [
      'a Brier harm of 2',
      { rollout: judged({ ...quality, harm: 2 }) },
      'rollout.judge.metrics[1].harm',
      /never be seen/,
    ],
    [
      'a latency beyond the histogram',
      { rollout: judged({ metric: 'slowShare', limitMs: 1e9 }) },
      'rollout.judge.metrics[1].limitMs',
      /latency only up to/,
    ],
    [
      'a value of no column',
      { rollout: judged({ ...value, from: 'tempp' }) },
      'rollout.judge.metrics[1].from',
      /tempp/,
    ],
    [
      'a value that is text',
      { rollout: judged({ ...value, from: 'carrier' }) },
      'rollout.judge.metrics[1].from',
      /VARCHAR/,
    ],
    [
      'a value of chance',
      { rollout: judged({ ...value, from: 'random()' }) },
      'rollout.judge.metrics[1].from',
      /random/,
    ],
    [
      'a value upside down',
      { rollout: judged({ ...value, min: 5, max: 5 }) },
      'rollout.judge.metrics[1].max',
      /greater than min/,
    ],
    [
      'alphas that leave nothing',
      { rollout: judged({ ...value, alpha: 0.05 }) },
      'rollout.judge.metrics',
      /nothing is left/,
    ],
    [
      'no counted metric',
      { rollout: canary({}, { judge: { metrics: [value] } }) },
      'rollout.judge.metrics',
      /errorShare/,
    ],
    [
      'a late label that is looked at too late',
      { rollout: canary({}, { lateLabels: { metric: quality, lookEveryHours: 48, giveUpAfterHours: 24 } }) },
      'rollout.lateLabels.lookEveryHours',
      /gives up/,
    ],
    [
      'a late label whose prediction is gone',
      {
        rollout: canary({}, { lateLabels: { metric: quality } }),
        'monitoring.retentionDays': 20,
        'monitoring.labelDelayMaxDays': 10,
      },
      'rollout.lateLabels.giveUpAfterHours',
      /deleted/,
    ],
    [
      'labels after their predictions',
      { 'monitoring.retentionDays': 10, 'monitoring.labelDelayMaxDays': 20 },
      'monitoring.labelDelayMaxDays',
      /deleted/,
    ],
    ['direct without a reason', { rollout: { strategy: 'direct', reason: ' ' } }, 'rollout.reason', /./],
    // Promotion and triggers.
    ['a reminder after the end', { 'promotion.remindAfterHours': 200 }, 'promotion.remindAfterHours', /no reminder/],
    [
      'an escalation after the end',
      { 'promotion.escalateAfterHours': 200, 'promotion.escalateTo': ['boss'] },
      'promotion.escalateAfterHours',
      /expire/,
    ],
    ['an escalation to nobody', { 'promotion.escalateAfterHours': 20 }, 'promotion.escalateTo', /both or neither/],
    ['a role twice', { 'promotion.approvals.roles': ['approver', 'approver'] }, 'promotion.approvals.roles', /twice/],
    [
      'an unknown time zone',
      { 'triggers.schedules.0.timeZone': 'America/NewYork' },
      'triggers.schedules[0].timeZone',
      /IANA/,
    ],
  ])('%s is told with its place', async (_name, changes, place, message) => {
    const problems = await problemsOf(changed(changes));
    expect(problems.map((problem) => problem.path)).toContain(place);
    expect(problems.find((problem) => problem.path === place && message.test(problem.message))).toBeDefined();
  });

  it('tells the mistakes of all expressions at once', async () => {
    const problems = await problemsOf(
      changed({
        'contract.features.odd': feature('nothing'),
        'contract.features.odder': feature('sqrt(carrier, 1)'),
        'contract.label.from': 'x',
      }),
    );
    expect(problems.map((problem) => problem.path).sort()).toEqual([
      'contract.features.odd.from',
      'contract.features.odder.from',
      'contract.label.from',
    ]);
  });
});

describe('a plan warns', () => {
  const warningsOf = async (changes: Record<string, unknown>) =>
    (await expressionFindings(session, parseModelDefinition(changed(changes)))).warnings;

  it('of nothing in the models that come with the product', async () => {
    expect(await warningsOf({})).toEqual([]);
    expect((await expressionFindings(session, repeatPurchase)).warnings).toEqual([]);
  });

  it.each<[string, Record<string, unknown>]>([
    ['the column itself', { 'contract.features.odd': feature('arr_delay') }],
    ['an alias of its table', { 'contract.features.odd': feature('flights.arr_delay * 2') }],
    ['a cast', { 'contract.features.odd': feature('CAST(CAST(arr_delay AS VARCHAR) AS DOUBLE)') }],
    ['case', { 'contract.features.odd': feature('ARR_Delay') }],
    ['the name alone', { 'contract.features.arr_delay': { type: 'number', nullable: true } }],
    [
      'a joined table with a copy of it',
      { 'data.tables.planes.columns.arr_delay': 'number', 'contract.features.odd': feature('planes.arr_delay') },
    ],
  ])("of a feature that reads the label's own column, by %s", async (_name, changes) => {
    const warnings = await warningsOf(changes);
    expect(warnings.map(({ path: place }) => place)).toEqual([
      expect.stringMatching(/^contract\.features\.(odd\.from|arr_delay)$/),
    ]);
    expect(warnings[0]?.message).toMatch(/arr_delay/);
  });

  it('not of a feature that shares the event time with the label', async () => {
    const changes = {
      'contract.label.from': "arr_delay > 15 AND time_hour > TIMESTAMP '2013-01-01'",
      'contract.features.odd': feature('hour(time_hour)'),
    };
    expect(await warningsOf(changes)).toEqual([]);
  });
});
