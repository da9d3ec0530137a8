/** Versions of 0.1.0 whose threshold was chosen on the holdout were served with this one all the same. */
const servedBefore = 0.5;

/**
 * The score from which a version's predicted class is the positive one: its own. Versions that 0.1.0 registered have
 * none: the number that their definition names counts.
 */
export const classThreshold = (own: number | null, ofDefinition: unknown): number =>
  own ?? (typeof ofDefinition === 'number' ? ofDefinition : servedBefore);
