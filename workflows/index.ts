export { giveShareBack } from './rollout/give-share-back.js';
export { promoteModel } from './promotion/promote-model.js';
export { reconcile } from './reconcile.js';
export { retain } from './retain.js';
export { reviewRollout } from './rollout/review-rollout.js';
export { rollbackModel } from './rollout/rollback-model.js';
export { rolloutModel } from './rollout/rollout-model.js';
export { trainModel } from './training/train-model.js';
