import { describe, expect, it } from 'vitest';
import { trainerMessageSchema, trainerResultSchema, trainerSpecSchema } from '../../../../domain/training/trainer.js';

const spec = {
  specVersion: 2,
  task: 'binary',
  model: 'flight-delay',
  algorithm: 'lightgbm',
  parameters: {},
  seed: 42,
  features: [{ name: 'distance', type: 'number', nullable: false }],
  label: { name: 'delayed', type: 'boolean' },
  trainFiles: ['/data/1.parquet'],
  holdoutFiles: ['/data/2.parquet'],
  threads: 2,
  memoryMb: 4096,
};

const problemsOf = (value: unknown) =>
  trainerSpecSchema.safeParse(value).error?.issues.map((issue) => issue.path.join('.'));

describe('the specification', () => {
  it('accepts what the contract describes', () => {
    expect(problemsOf(spec)).toBeUndefined();
  });

  it.each([
    ['a field it does not know', { ...spec, refit: true }, ''],
    ['a relative file', { ...spec, trainFiles: ['1.parquet'] }, 'trainFiles.0'],
    [
      'a feature with the name of an output',
      { ...spec, features: [{ name: 'label', type: 'number', nullable: false }] },
      'features.0.name',
    ],
    ['classes of a boolean label', { ...spec, label: { ...spec.label, classes: [0, 1] } }, 'label'],
    ['another version', { ...spec, specVersion: 1 }, 'specVersion'],
  ])('refuses %s and names the field', (_case, value, field) => {
    expect(problemsOf(value)).toEqual([field]);
  });
});

describe('messages and results', () => {
  it('refuses a fraction outside 0 to 1', () => {
    const progress = { kind: 'progress', phase: 'fit', fraction: 0.5, message: 'round 1 of 2' };
    expect(trainerMessageSchema.safeParse(progress).success).toBe(true);
    expect(trainerMessageSchema.safeParse({ ...progress, fraction: 1.5 }).success).toBe(false);
  });

  it('refuses a metric that a diverged training would have left as no number', () => {
    const metrics = { logLoss: 'NaN', rocAuc: 0.5 };
    const paths = trainerResultSchema
      .safeParse({ trainMetrics: metrics })
      .error?.issues.map((issue) => issue.path.join('.'));
    expect(paths).toContain('trainMetrics.logLoss');
  });
});
