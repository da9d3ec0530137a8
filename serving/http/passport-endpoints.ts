import type { FastifyInstance, FastifyRequest } from 'fastify';
import { isBeyondRetention } from '../../domain/monitoring/monitoring-policy.js';
import { PerdureError } from '../../domain/errors.js';
import { objectKeys } from '../../domain/object-keys.js';
import type { LoggedPrediction, PassportFacts } from '../../domain/serving/passport.js';
import { parsePredictionId } from '../../domain/serving/prediction-id.js';
import { keyPoint, shareRangesOf } from '../../domain/serving/route-choice.js';
import type { ControlPlane } from '../control-plane/control-plane.js';
import type { PredictionLookup } from '../prediction-lookup/prediction-lookup.js';
import { headerText } from './header-text.js';
import type { KeyDigests } from '../routing/key-digest.js';
import { quoted, refusal } from '../../inference/refusal.js';
import type { RouteTable } from '../routing/route-table.js';
import type { Spool } from '../prediction-log/spool.js';

export interface PassportDeps {
  lookup: PredictionLookup;
  controlPlane: Pick<ControlPlane, 'passportFacts'>;
  table: RouteTable;
  predictions: Spool;
  keyDigests: KeyDigests;
}

/**
 * `GET /v1/predictions/{id}`: everything that is known of a prediction. Not on the answering path: it needs PostgreSQL,
 * and the object store once the spool is shipped.
 */
export function registerPassportEndpoints(
  app: FastifyInstance,
  { lookup, controlPlane, table, predictions, keyDigests }: PassportDeps,
): void {
  app.get('/v1/predictions/:id', async (request: FastifyRequest<{ Params: { id: string } }>) => {
    const { id } = request.params;
    const parsed = parsePredictionId(id);
    if (parsed === undefined)
      throw refusal(
        `${quoted(id)} is not a prediction id.`,
        'Send what the header X-Perdure-Prediction-Id said, with .ROW for a row of a multi-row request.',
      );
    // What was answered just now is in memory still.
    await predictions.flush();
    const found = await lookup.find(
      id,
      table.routes().map(({ route }) => route.model),
    );
    if (found === undefined) {
      throw new PerdureError(
        'not-found',
        goneText(parsed.at, table) ??
          `There is no prediction ${id} of a model that is served here. Another gateway's predictions are found ` +
            'once its log is shipped, about 20 seconds later.',
      );
    }
    const { prediction, label, labelsSearched, cardSha256 } = found;
    const { environment, model, version, epoch } = prediction;
    const facts = await controlPlane
      .passportFacts({ environment, model, version, epoch, at: new Date(prediction.at) })
      .catch(unreachable);
    const { request_id, at, features, outputs, latency_ms } = prediction;
    const key = request.headers['x-perdure-key'];
    return {
      ...{ prediction_id: id, request_id, at, environment, model, version, epoch, features },
      answer: { ...outputs, latency_ms },
      outcome: label,
      ...(labelsSearched
        ? {}
        : { outcome_note: 'There are more labels since than were searched: a later one may exist.' }),
      why: whyOf(prediction, facts, typeof key === 'string' ? headerText('x-perdure-key', key) : undefined, keyDigests),
      registered: facts.version,
      promotion: facts.promotion,
      card: {
        key: objectKeys.modelCard(model, version, 'json'),
        api: `/api/v1/models/${model}/versions/${version}/card?format=json`,
        sha256: cardSha256,
      },
    };
  });
}

/**
 * Why a prediction is not there that is older than what is kept of every model here; undefined for one that should be.
 */
function goneText(at: Date, table: RouteTable): string | undefined {
  const kept = table.versions().map(({ monitoring }) => monitoring);
  if (kept.length === 0 || kept.some((monitoring) => !isBeyondRetention(monitoring, at, new Date()))) return undefined;
  const days = Math.max(...kept.map(({ retentionDays }) => retentionDays));
  return (
    `It was answered at ${at.toISOString()}, and predictions are kept for ${days} days here ` +
    '(monitoring.retentionDays): its log entry was deleted.'
  );
}

/**
 * The route in force, the range of [0, 100) that was the version's, and where the caller's key falls, if whoever asks
 * knows the key: logs hold its hash only.
 */
function whyOf(
  { model, version, role, chosen_by: cause, key_hash: keyHash, request_id: requestId }: LoggedPrediction,
  { route }: PassportFacts,
  key: string | undefined,
  keyDigests: KeyDigests,
): object {
  const ranges = route === null ? [] : shareRangesOf(route.split);
  const index = ranges.findIndex((range) => range.version === version);
  const range =
    index === -1 ? null : { from: ranges[index - 1]?.end ?? 0, to: Math.min(100, ranges[index]?.end ?? 100) };
  const matches = key === undefined || keyHash === null ? null : keyDigests.matches(key, keyHash);
  const known = matches === true ? (key ?? null) : keyHash === null ? requestId : null;
  return {
    role,
    // An override is nobody's draw.
    by: role === 'override' ? 'override' : keyHash !== null ? 'key' : requestId !== null ? 'request id' : 'draw',
    cause,
    key_hash: keyHash,
    key_matches: matches,
    point: known === null ? null : keyPoint(model, known),
    stretch: range,
    route,
  };
}

/** Whatever keeps the facts back, it is not the caller: what PostgreSQL's driver throws has no code of the product. */
function unreachable(error: unknown): never {
  if (error instanceof PerdureError) throw error;
  throw new PerdureError(
    'server/unreachable',
    'PostgreSQL, which knows where the version came from, does not answer. Ask again.',
  );
}
