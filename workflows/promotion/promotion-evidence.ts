import { patched } from '@temporalio/workflow';
import { evidence, quickActivities } from '../activity-profiles.js';
import { historyIsLong } from '../long-history.js';
import type { PromotionEnd } from './promotion-progress.js';
import type { PromotionRun } from './promotion-run.js';

/** Gathers evidence and shows it to those who decide, unless it is shown. */
export async function showEvidence(promotion: PromotionRun): Promise<PromotionEnd | undefined> {
  const { promotionId, progress, timeline, recorded, terms } = promotion;
  if (progress.shown) return undefined;
  if (recorded.evidenceSha256 !== null && historyIsLong()) await promotion.carryOver();
  const { model, version, environment } = terms.asked;
  timeline.doing('gathering evidence: candidate against champion on the same holdout');
  const shown = await evidence().gatherEvidence({ promotionId, model, version, environment });
  terms.policy = shown.policy ?? terms.policy;
  if (shown.conflict) return { state: 'superseded', reason: shown.conflict };
  timeline.finished(`evidence ${shown.evidenceSha256.slice(0, 12)}: ${shown.summary}`);
  recorded.open(shown.evidenceSha256);
  progress.shown = { champion: shown.champion, notBefore: shown.notBefore };
  // Those who decide see one candidate for a place, the newest.
  if (patched('older-give-way')) {
    const { versions } = await quickActivities().supersedeOlder({ promotionId });
    if (versions.length > 0) timeline.note(`supersedes version ${versions.join(', ')}, which was waiting`);
  }
  return undefined;
}
