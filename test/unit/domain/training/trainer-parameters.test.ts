import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { trainerParameters, type TrainerParameter } from '../../../../domain/training/trainer-parameters.js';
import { projectRoot } from '../../docs/documents.js';

const programs = {
  lightgbm: 'train_lightgbm.py',
  xgboost: 'train_xgboost.py',
  catboost: 'train_catboost.py',
  'hist-gradient-boosting': 'train_sklearn_boosting.py',
  'logistic-regression': 'train_sklearn_logistic.py',
  ridge: 'train_sklearn_ridge.py',
};

/** `"name": Parameter(default, low, high)` of a trainer's source, as our own table writes it. */
function declaredIn(program: string): Record<string, TrainerParameter> {
  const source = readFileSync(path.join(projectRoot, 'trainers/tabular/perdure_trainer/algorithms', program), 'utf8');
  const table = /^PARAMETERS = \{\n([\s\S]*?)^\}/m.exec(source)?.[1] ?? '';
  return Object.fromEntries(
    [...table.matchAll(/^ {4}"(\w+)": Parameter\((.*)\),$/gm)].map(([, name = '', text = '']) => [
      name,
      parameterOf(text),
    ]),
  );
}

function parameterOf(text: string): TrainerParameter {
  const choices = /choices=\((.*)\)/.exec(text)?.[1];
  if (choices !== undefined)
    return { kind: 'choice', choices: [...choices.matchAll(/"([^"]+)"/g)].map((match) => match[1] ?? '') };
  const [initial = '', low, high] = text.split(',').map((part) => part.trim().replaceAll('_', ''));
  if (initial === 'True' || initial === 'False') return { kind: 'boolean' };
  return { kind: /^-?\d+$/.test(initial) ? 'whole' : 'number', low: Number(low), high: Number(high) };
}

it.each(Object.entries(programs))('a plan knows the parameters of %s as the trainer declares them', (name, program) => {
  const declared = declaredIn(program);
  expect(Object.keys(declared).length).toBeGreaterThan(0);
  expect(Object.entries(trainerParameters).find(([one]) => one === name)?.[1]).toEqual(declared);
});
