import { describe, expect, it } from 'vitest';
import { activitiesOf, createActivities } from '../../../activities/index.js';
import { activityQueues } from '../../../domain/task-queues.js';

const activities = createActivities({} as never);
const namesOf = (queue: (typeof activityQueues)[number]) => Object.keys(activitiesOf(queue, activities));

describe('the queues of activities', () => {
  it('name each activity once, so that each has one queue where workflows schedule it', () => {
    const scheduled = activityQueues.flatMap((queue) => Object.keys(activities[queue]));
    expect(new Set(scheduled).size).toBe(scheduled.length);
  });

  it('that a worker polls know every activity that workflows schedule there', () => {
    for (const queue of activityQueues)
      expect(namesOf(queue)).toEqual(expect.arrayContaining(Object.keys(activities[queue])));
  });

  it('of version 0.1.0 know all that its workflows scheduled there and may still wait for', () => {
    expect(namesOf('training')).toEqual(
      expect.arrayContaining(['evaluateRun', 'gatherEvidence', 'takeSnapshot', 'train']),
    );
    expect(namesOf('activities')).toEqual(
      expect.arrayContaining([
        ...['takeTrainingLease', 'takeRolloutLease', 'waitForAcknowledgement', 'waitUntilAcknowledged', 'probe'],
        ...['lookAtRollout', 'lookAtLabels', 'openRun', 'verifyPromotion', 'writeRoute'],
      ]),
    );
  });

  it('keep what trains, or stands in for it, alone on the queue of trainers, so that nothing light waits behind one', () => {
    expect(Object.keys(activities.training).toSorted()).toEqual(['adoptModel', 'train', 'trainFold']);
  });
});
