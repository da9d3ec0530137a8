import type { ApiClient } from '../client/http/api-client.js';
import type { PromotionDetail } from '../client/http/promotions.js';
import { PerdureError } from '../domain/errors.js';
import type { Environment } from '../domain/names.js';
import { parseVersionRef } from '../domain/ids.js';

/**
 * A promotion by its id, its workflow id or `MODEL@N`; of several the open one, else the newest.
 * @throws PerdureError `not-found`.
 */
export async function findPromotion(api: ApiClient, text: string, environment: Environment): Promise<PromotionDetail> {
  const ref = parseVersionRef(text);
  if (ref?.version === undefined && !text.includes('/')) return api.promotion(text);
  const query =
    ref?.version === undefined ? { workflowId: text } : { model: ref.model, version: ref.version, environment };
  const { items: found } = await api.promotions(query);
  const chosen = found.find((one) => one.closedAt === null) ?? found[0];
  if (chosen) return api.promotion(chosen.id);
  const where = ref?.version === undefined ? text : `${text} to ${environment}`;
  throw new PerdureError(
    'not-found',
    `There is no promotion of ${where}. \`perdure promotions ls\` lists them; \`perdure promote MODEL@N --to ` +
      `ENV\` requests one.`,
    { promotion: text },
  );
}
