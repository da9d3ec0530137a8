import type { ApiClient } from '../../client/http/api-client.js';
import { pollUntil } from '../support/poll-until.js';
import { drillModel as model } from './drill-model.js';
import type { ToldApproval } from './facts.js';

/**
 * Waits until a promotion shows its evidence; what it gives has a person approve it, who asks again until the approval
 * stands, and notes what that person was told.
 */
export async function approveWith(
  api: ApiClient,
  version: number,
  told: ToldApproval[],
): Promise<(actor: string) => Promise<void>> {
  const shown = await pollUntil('the promotion waits for approval', 120_000, async () => {
    const {
      items: [found],
    } = await api.promotions({ model, version, open: true });
    return found?.state === 'waiting-for-approval' && found.evidenceSha256 !== null
      ? { id: found.id, evidenceSha256: found.evidenceSha256 }
      : undefined;
  });
  const stands = async (actor: string) =>
    (await api.promotion(shown.id)).decisions.some((one) => one.actor === actor && one.counted);
  return async (actor) => {
    await pollUntil(`${actor} approves`, 180_000, async () => {
      const { id, evidenceSha256 } = shown;
      const { counted } = await api.decidePromotion(id, {
        decision: 'approve',
        actor,
        comment: 'drill',
        evidenceSha256,
      });
      if (counted) told.push({ promotionId: id, actor });
      // An answer that was lost leaves a decision that counts: asking again says so.
      return (await stands(actor)) || undefined;
    }).catch(async (error: unknown) => {
      if (!(await stands(actor))) throw error;
    });
  };
}
