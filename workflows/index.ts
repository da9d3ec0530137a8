export { giveShareBack } from './give-share-back.js';
export { promoteModel } from './promote-model.js';
export { reconcile } from './reconcile.js';
export { reviewRollout } from './review-rollout.js';
export { rollbackModel } from './rollback-model.js';
export { rolloutModel } from './rollout-model.js';
export { trainModel } from './train-model.js';
