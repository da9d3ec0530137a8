import { describe, expect, it } from 'vitest';
import { urgencyStepMs } from '../../../../domain/training/run-priority.js';
import { runQueue, stepInSlot, type OpenRun } from '../../../../domain/training/run-queue.js';

const at = (minute: number) => new Date(Date.UTC(2026, 0, 1, 6, minute));
const step = (name: string, finished: number | null) => ({
  step: name,
  finishedAt: finished === null ? null : at(finished),
});
const run = (runId: string, change: Partial<OpenRun> = {}): OpenRun => ({
  ...{ runId, workflowId: `train/m/${runId}`, model: 'm', priority: 3, startedAt: at(0), admittedAt: at(1), steps: [] },
  ...change,
});

describe('what open runs wait for', () => {
  it.each([
    ['other runs of its model, since it began', { admittedAt: null, startedAt: at(3) }, { for: 'model', since: at(3) }],
    ['a worker of data, since its turn came', {}, { for: 'data', since: at(1) }],
    ['a trainer, since its snapshot was taken', { steps: [step('snapshot', 5)] }, { for: 'training', since: at(5) }],
    [
      'a worker of data again, since it was trained',
      { steps: [step('train', 9), step('snapshot', 5)] },
      { for: 'data', since: at(9) },
    ],
  ])('is %s', (_, change, wait) => {
    expect(runQueue([run('a', change)], at(20)).get('a')).toEqual({ ...wait, place: 1, of: 1 });
  });

  it('is nothing while a step goes on, and after the last that needs a slot', () => {
    const going = [
      run('a', { steps: [step('snapshot', null)] }),
      run('b', { steps: [step('snapshot', 2), step('train', null)] }),
      run('c', { steps: ['snapshot', 'train', 'evaluate'].map((name) => step(name, 3)) }),
    ];
    expect(runQueue(going, at(20)).size).toBe(0);
    expect(going.map(stepInSlot)).toEqual(['data', 'training', undefined]);
  });

  it('has places by priority, then by how long they wait, one line for each model and each kind of worker', () => {
    const waiting = [
      run('late', { admittedAt: null, startedAt: at(9) }),
      run('early', { admittedAt: null, startedAt: at(2) }),
      run('urgent', { admittedAt: null, startedAt: at(10), priority: 2 }),
      run('other', { admittedAt: null, model: 'n' }),
      run('data'),
      run('trains', { steps: [step('snapshot', 4)] }),
      run('trains too', { steps: [step('snapshot', 3)], model: 'n' }),
    ];
    const places = runQueue(waiting, at(20));
    expect([...places].map(([id, { place, of }]) => [id, place, of])).toEqual(
      expect.arrayContaining([
        ['urgent', 1, 3],
        ['early', 2, 3],
        ['late', 3, 3],
        ['other', 1, 1],
        ['data', 1, 1],
        ['trains too', 1, 2],
        ['trains', 2, 2],
      ]),
    );
    // A step of urgency later for those that came first.
    const later = runQueue(waiting, new Date(at(5).getTime() + urgencyStepMs));
    expect(['early', 'urgent', 'late'].map((id) => later.get(id)?.place)).toEqual([1, 2, 3]);
  });
});
