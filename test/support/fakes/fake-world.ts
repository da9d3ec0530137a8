import { fakeGateways } from './gateways.js';
import { fakeLeases } from './leases.js';
import { fakePromotions } from './promotion.js';
import { fakeReconciliation } from './reconciliation.js';
import { fakeRequests } from './requests.js';
import { fakeRetention } from './retention.js';
import { fakeReviews } from './reviews.js';
import { fakeRollouts } from './rollout.js';
import { fakeSteering } from './steering.js';
import { fakeTraining } from './training.js';
import { WorldFacts } from './world-facts.js';

/** The facts, and the fakes of each capability that read and write them. */
export class FakeWorld extends WorldFacts {
  /** Local activities of a workflow. */
  readonly local = fakeRequests(this);

  readonly remote = {
    ...fakeLeases(this),
    ...fakeTraining(this),
    ...fakePromotions(this),
    ...fakeRollouts(this),
    ...fakeSteering(this),
    ...fakeReviews(this),
    ...fakeReconciliation(this),
    ...fakeGateways(this),
    ...fakeRetention(this),
  };
}
