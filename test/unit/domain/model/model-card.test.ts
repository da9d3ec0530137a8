import { describe, expect, it } from 'vitest';
import type { Metrics } from '../../../../domain/metrics/measured.js';
import type { Scored } from '../../../../domain/metrics/measured.js';
import type { Evaluation } from '../../../../domain/evaluation/evaluation.js';
import { decideGates } from '../../../../domain/evaluation/gate.js';
import { modelCardMarkdown } from '../../../../domain/model/model-card-markdown.js';
import { modelCard, modelCardSchema, type ModelCardInput } from '../../../../domain/model/model-card.js';
import { defineModel } from '../../../../domain/model-definition.js';

const sha = (digit: string) => digit.repeat(64);
const definition = defineModel({
  name: 'late',
  description: 'Chance of <b>lateness</b>.',
  owner: 'ops',
  contract: {
    entity: ['id'],
    eventTime: 'at',
    label: { name: 'late', type: 'boolean' },
    features: {
      carrier: { type: 'string', levels: ['AA', 'HA'], closed: true },
      x: { type: 'number', nullable: true, min: 0, max: 9, description: 'miles' },
    },
  },
  data: {
    tables: { rows: { columns: { id: 'integer', at: 'timestamp', carrier: 'string', x: 'number', late: 'boolean' } } },
    base: 'rows',
    window: { kind: 'expanding', from: '2024-01' },
  },
  evaluation: {
    slices: ['carrier'],
    gates: [
      { name: 'ranks', metric: 'rocAuc', atLeast: 0.8 },
      { name: 'no worse', metric: 'logLoss', worseThanChampionByAtMost: 0.01 },
    ],
  },
  rollout: { strategy: 'canary', steps: [{ sharePct: 100 }] },
});

const metrics = (rocAuc: number, calibrationError = 0.02): Metrics => ({
  rocAuc,
  calibrationError,
  prAuc: 0.7,
  logLoss: 0.3,
  brier: 0.1,
  accuracy: 0.9,
  precision: null,
  recall: 0,
  f1: 0,
});
const scored = (rocAuc: number, rows: number, calibrationError?: number): Scored => ({
  rows,
  positives: rows / 10,
  metrics: metrics(rocAuc, calibrationError),
  intervals: rows < 200 ? {} : { rocAuc: { low: rocAuc - 0.02, high: rocAuc + 0.02, confidencePct: 95 } },
});
const evaluation: Evaluation = {
  holdoutSha256: sha('1'),
  candidateSha256: sha('2'),
  championSha256: null,
  championVersion: null,
  threshold: 0.5,
  overall: scored(0.9, 1000),
  comparison: null,
  slices: [
    { feature: 'carrier', level: 'AA', scored: scored(0.85, 800), comparison: null },
    { feature: 'carrier', level: 'H|A', scored: scored(0.5, 50), comparison: null },
  ],
  parityMaxDifference: 4e-7,
  scoreHistogram: [],
  calibrationCurve: [{ meanScore: 0.25, observedShare: 0.2, rows: 1000 }],
  rocCurve: [],
};
const input = (more: Partial<ModelCardInput> = {}): ModelCardInput => ({
  definition,
  version: {
    version: 3,
    artifactSha256: sha('2'),
    gates: decideGates(definition, evaluation).results,
    lineage: {
      runId: 'run-7',
      snapshotSha256: sha('3'),
      definitionSha256: sha('4'),
      codeRevision: 'abc',
      environmentSha256: sha('5'),
      libraries: { lightgbm: '4.7.0' },
      seed: 42,
    },
  },
  cause: { kind: 'data', id: '2024-03' },
  snapshot: {
    manifestVersion: 1,
    model: 'late',
    shapeSha256: sha('6'),
    columns: [],
    train: [],
    holdout: [],
    trainedOn: { from: '2024-01', to: '2024-03', rows: 5000 },
    testedOn: { from: '2024-03', to: '2024-04', rows: 1000 },
    watermark: '2024-03',
  },
  evaluation,
  training: {
    algorithm: 'lightgbm',
    parameters: { num_leaves: 31 },
    featureImportances: [
      { feature: 'x', share: 0.8 },
      { feature: 'carrier', share: 0.2 },
    ],
  },
  createdAt: '2024-04-02T06:00:00.000Z',
  ...more,
});

describe('modelCard', () => {
  it('is plain JSON that says where the version comes from and what was measured', () => {
    const card = modelCard(input());
    expect(modelCardSchema.parse(JSON.parse(JSON.stringify(card)))).toEqual(card);
    expect(card.details).toMatchObject({
      model: 'late',
      version: 3,
      artifactSha256: sha('2'),
      cause: { kind: 'data' },
    });
    expect(card.data).toMatchObject({ snapshotSha256: sha('3'), holdoutSha256: sha('1'), positives: 100 });
    expect(card.metrics.find(({ name }) => name === 'rocAuc')).toMatchObject({
      value: 0.9,
      interval: { confidencePct: 95 },
      champion: null,
    });
    expect(card.inputs).toEqual([
      { name: 'carrier', type: 'string', nullable: false, range: 'only AA, HA', description: '' },
      { name: 'x', type: 'number', nullable: true, range: 'at least 0, at most 9', description: 'miles' },
    ]);
  });

  it('warns of what the numbers show: a worse slice, a small one, one dominating feature, a gate not asked', () => {
    expect(modelCard(input()).caveats).toEqual([
      'Tested on 2024-03 up to, not including, 2024-04 alone: its performance in other seasons is unknown.',
      'Its rocAuc is worse than over all rows (0.9), by the whole confidence interval, for carrier AA (0.85, ' +
        '800 rows).',
      'Too few rows to judge, fewer than 200: carrier H|A (50).',
      'It relies on one feature: x has 80 % of the importance.',
      'The gate "no worse" was not evaluated. There is no champion to compare with on these rows.',
    ]);
  });

  it('says of a model that was made elsewhere that nobody knows what it was trained on', () => {
    const { version } = input();
    const imported = { fileSha256: sha('9'), declared: {} };
    const card = modelCard(input({ version: { ...version, lineage: { ...version.lineage, imported } } }));
    expect(card.caveats[0]).toMatch(/^It was made elsewhere: nobody here knows what it was trained on/);
  });

  it('does not warn without reason, and warns of bad calibration', () => {
    const training = { ...input().training, featureImportances: [] };
    const even = { ...evaluation, championSha256: sha('7'), championVersion: 2, slices: [] };
    expect(modelCard(input({ evaluation: even, training })).caveats).toHaveLength(1);
    expect(
      modelCard(input({ evaluation: { ...even, overall: scored(0.9, 1000, 0.08) }, training })).caveats[1],
    ).toContain('off by 0.08 on average');
  });

  it('refuses a number that is not finite', () => {
    expect(() => modelCard(input({ evaluation: { ...evaluation, threshold: Number.NaN } }))).toThrow();
  });
});

describe('modelCardMarkdown', () => {
  it('gives the same page for the same card, with text from data kept from becoming markup', () => {
    const page = modelCardMarkdown(modelCard(input()));
    expect(page).toBe(modelCardMarkdown(modelCard(input())));
    expect(page).toContain('# late, version 3');
    expect(page).toContain('Chance of &lt;b&gt;lateness&lt;/b&gt;.');
    expect(page).toContain('| carrier H\\|A | 50 |');
    expect(page).toContain('| rocAuc | 0.9 | 0.88 to 0.92, 95 % |');
    expect(page).toContain('| precision | not defined | not defined |');
    expect(page).toContain('Not evaluated: no worse. There is no champion to compare with on these rows.');
    expect(page).not.toContain('undefined');
  });

  it('shows the champion beside the candidate where there is one', () => {
    const difference = { estimate: 0.01, interval: { low: -0.01, high: 0.03, confidencePct: 95 } };
    const compared = {
      ...evaluation,
      championSha256: sha('7'),
      championVersion: 2,
      comparison: { champion: metrics(0.89), differences: { rocAuc: difference } },
    };
    expect(modelCardMarkdown(modelCard(input({ evaluation: compared })))).toContain(
      '| rocAuc | 0.9 | 0.88 to 0.92, 95 % | 0.89 | 0.01 (-0.01 to 0.03, 95 %) |',
    );
  });
});
