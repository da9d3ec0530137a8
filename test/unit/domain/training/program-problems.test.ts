import { expect, test } from 'vitest';
import { trainingProblems } from '../../../../domain/training/training-problems.js';
import { programProblems } from '../../../../domain/training/program-problems.js';
import { programSha256Of, trainerNameOf, trainingPolicySchema } from '../../../../domain/training/training-policy.js';
import { whyNotSettable } from '../../../../domain/settable-path.js';
import flightDelay from '../../../../models/flight-delay/model.js';

test('a program of the team’s own takes parameters of its own, and no algorithm beside it', () => {
  const own = trainingPolicySchema.parse({ program: './trainer', parameters: { depth: 3 } });
  expect([...programProblems(own), ...trainingProblems({ contract: flightDelay.contract, training: own })]).toEqual([]);
  expect(programProblems({ ...own, algorithm: 'xgboost' })).toEqual([
    { path: 'training.algorithm', message: expect.stringContaining('leave one of them out') },
  ]);
  expect(trainerNameOf(own)).toBe('./trainer');
  expect(programSha256Of(own)).toBeUndefined();
});

test.each(['trainer', '/trainer', '../trainer', './../trainer', './a/../b', './', './.hidden', '.'])(
  'a program lies inside the model’s folder: %s is refused',
  (program) => {
    expect(trainingPolicySchema.safeParse({ program }).success).toBe(false);
  },
);

test('a run cannot bring a program of its own', () => {
  expect(whyNotSettable('training.program')).toMatch(/a run may not change this/);
  expect(whyNotSettable('training.program.sha256')).toMatch(/a run may not change this/);
});
