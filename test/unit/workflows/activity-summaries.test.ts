import { expect, it } from 'vitest';
import { createActivities } from '../../../activities/index.js';
import { activitySummaries } from '../../../workflows/activity-summaries.js';

it('every activity has a summary for the Temporal UI, and no summary is left over', () => {
  const { local: _, ...remote } = createActivities({} as never);
  expect(Object.keys(activitySummaries).toSorted()).toEqual(
    Object.values(remote)
      .flatMap((queue) => Object.keys(queue))
      .toSorted(),
  );
});
