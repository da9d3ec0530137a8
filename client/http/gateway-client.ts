import { randomUUID } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { messageOf, PerdureError } from '../../domain/errors.js';
import { stackHeader, identityText, type StackIdentity } from '../../domain/stack-identity.js';
import type { LabelValue } from '../../domain/serving/received-label.js';
import { splitSchema } from '../../domain/serving/route.js';
import { overrideCauses } from '../../domain/serving/prediction-log-columns.js';
import { sendRequest, type HttpReply } from './send-request.js';

const tensorSchema = z.object({ name: z.string(), datatype: z.string(), shape: z.array(z.number()) });
const metadataSchema = z.object({
  name: z.string(),
  versions: z.array(z.string()).optional(),
  inputs: z.array(tensorSchema),
  outputs: z.array(tensorSchema),
});
export type GatewayModel = z.infer<typeof metadataSchema>;

const inferSchema = z.object({
  model_version: z.string().optional(),
  id: z.string().optional(),
  outputs: z.array(
    z.object({ name: z.string(), shape: z.array(z.number()), data: z.array(z.union([z.number(), z.string()])) }),
  ),
});

/** What a gateway knows of one prediction. Features of whatever the contract had; more fields may follow. */
const passportSchema = z.looseObject({
  prediction_id: z.string(),
  at: z.string(),
  environment: z.string(),
  model: z.string(),
  version: z.number(),
  epoch: z.number(),
  features: z.record(z.string(), z.unknown()),
  /** Beside the latency the columns of the model's task, as the prediction log has them. */
  answer: z.looseObject({ latency_ms: z.number() }),
  /** Null until a label was received. */
  outcome: z
    .object({ label: z.union([z.boolean(), z.number(), z.string()]), observed_at: z.string(), received_at: z.string() })
    .nullable(),
  why: z.object({
    role: z.string(),
    by: z.string(),
    /** Of an override; null for rows that were logged before it was, and from gateways that say otherwise. */
    cause: z.enum(overrideCauses).nullable().catch(null),
    key_hash: z.string().nullable(),
    key_matches: z.boolean().nullable(),
    point: z.number().nullable(),
    stretch: z.object({ from: z.number(), to: z.number() }).nullable(),
    route: z.looseObject({ split: splitSchema, reason: z.string(), at: z.string() }).nullable(),
  }),
  registered: z.object({
    runId: z.string(),
    snapshotSha256: z.string(),
    artifactSha256: z.string(),
    definitionSha256: z.string(),
    registeredAt: z.string(),
  }),
  promotion: z
    .looseObject({
      id: z.string(),
      state: z.string(),
      requestedBy: z.string(),
      approvedBy: z.array(z.looseObject({ actor: z.string() })),
    })
    .nullable(),
  card: z.object({ key: z.string(), api: z.string(), sha256: z.string().nullable() }),
});
export type Passport = z.infer<typeof passportSchema>;

const sentLabelsSchema = z.object({
  accepted: z.number(),
  unmatched: z.number().default(0),
  unmatched_ids: z.array(z.string()).default([]),
  late: z.number().default(0),
  late_ids: z.array(z.string()).default([]),
  late_after: z.string().optional(),
});
export type SentLabels = z.infer<typeof sentLabelsSchema>;

const labelCountsSchema = z.object({
  labels: z.number(),
  matched: z.number(),
  waiting: z.number(),
  unmatched: z.number(),
  unmatchedIds: z.array(z.string()),
  since: z.string(),
  complete: z.boolean(),
});
export type LabelCounts = z.infer<typeof labelCountsSchema>;

export interface InputTensor {
  name: string;
  datatype: string;
  shape: number[];
  /** A value a row, or a list. */
  data: (string | number | boolean | null | (string | number | boolean | null)[])[];
}

export interface GatewayAnswer {
  modelVersion: string | null;
  /** One a row: by these, labels find their predictions. Empty when the gateway logs none. */
  predictionIds: string[];
  epoch: number | null;
  /** Of each row its outputs by name: a value, or a list of them. */
  rows: Record<string, OutputValue>[];
}

export type OutputValue = string | number | (string | number)[];

export interface OutcomeLabel {
  prediction_id: string;
  label: LabelValue;
  observed_at: string;
}

/** A client that retries the same request for this long gets an answer. */
const retryForMs = 5_000;

export type GatewayClient = ReturnType<typeof createGatewayClient>;

/**
 * A gateway by the Open Inference Protocol v2 over REST. Throws PerdureError: what the gateway refused, or
 * `server/unreachable`.
 */
export function createGatewayClient(baseUrl: string, stack?: StackIdentity) {
  const stamp = stack ? { [stackHeader]: identityText(stack) } : {};
  const send = (path: string, json?: unknown, headers: Record<string, string> = {}) =>
    sendUntilAnswered(baseUrl, path, json, { ...headers, ...stamp });
  return {
    baseUrl,
    model: async (model: string): Promise<GatewayModel> =>
      metadataSchema.parse(jsonOf(await send(`/v2/models/${encodeURIComponent(model)}`))),

    /** Rows in, outputs out; retried under one id, so that it counts as one prediction. */
    infer: async (model: string, inputs: InputTensor[]): Promise<GatewayAnswer> => {
      const response = await send(`/v2/models/${encodeURIComponent(model)}/infer`, { id: randomUUID(), inputs });
      const body = inferSchema.parse(jsonOf(response));
      const epoch = response.header('x-perdure-epoch');
      return {
        modelVersion: body.model_version ?? null,
        predictionIds: rowIds(response.header('x-perdure-prediction-id'), inputs[0]?.shape[0] ?? 0),
        epoch: epoch === null ? null : Number(epoch),
        rows: outputRows(body.outputs, inputs[0]?.shape[0] ?? 0),
      };
    },

    /** Everything that is known of a prediction. @param key the caller's, to see where it falls */
    passport: async (id: string, key?: string): Promise<Passport> => {
      // A header holds bytes: those of UTF-8, each as a character.
      const headers = key === undefined ? {} : { 'x-perdure-key': Buffer.from(key).toString('latin1') };
      return passportSchema.parse(jsonOf(await send(`/v1/predictions/${encodeURIComponent(id)}`, undefined, headers)));
    },

    /** What really happened. The gateway keeps them in its spool before it answers. */
    sendLabels: async (model: string, labels: readonly OutcomeLabel[]): Promise<SentLabels> =>
      sentLabelsSchema.parse(jsonOf(await send(`/v1/models/${encodeURIComponent(model)}/labels`, labels))),

    /** What became of the labels of the last days: found their prediction, may find it yet, or name none. */
    labels: async (model: string, days: number): Promise<LabelCounts> =>
      labelCountsSchema.parse(jsonOf(await send(`/v1/models/${encodeURIComponent(model)}/labels?days=${days}`))),
  };
}

/** What stands of each output in a row: of a tensor with one dimension a value, else a list. */
function outputRows(
  outputs: readonly { name: string; shape: number[]; data: (string | number)[] }[],
  rows: number,
): Record<string, OutputValue>[] {
  return Array.from({ length: rows }, (_, row) =>
    Object.fromEntries(
      outputs.map(({ name, shape: [, width], data }) => [
        name,
        width === undefined ? (data[row] ?? NaN) : data.slice(row * width, (row + 1) * width),
      ]),
    ),
  );
}

/** A request of one row has the prediction's id itself; of several, each row adds its number to it. */
function rowIds(predictionId: string | null, rows: number): string[] {
  if (predictionId === null) return [];
  return rows === 1 ? [predictionId] : Array.from({ length: rows }, (_, row) => `${predictionId}.${row}`);
}

async function sendUntilAnswered(
  baseUrl: string,
  path: string,
  json: unknown,
  headers: Record<string, string>,
): Promise<HttpReply> {
  const until = Date.now() + retryForMs;
  for (;;) {
    const outcome = await sendOnce(baseUrl, path, json, headers);
    if (!(outcome instanceof PerdureError)) return outcome;
    if (!outcome.retryable || Date.now() > until) throw outcome;
    await pause(250);
  }
}

async function sendOnce(
  baseUrl: string,
  path: string,
  json: unknown,
  headers: Record<string, string>,
): Promise<HttpReply | PerdureError> {
  const request =
    json === undefined
      ? { headers }
      : { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body: JSON.stringify(json) };
  const response = await sendRequest(new URL(path, baseUrl), { ...request, timeoutMs: 30_000 }).catch(
    (error: unknown) =>
      new PerdureError(
        'server/unreachable',
        `The gateway at ${baseUrl} does not answer (${messageOf(error)}). Start the stack with \`npx perdure up\`.`,
        { baseUrl },
      ),
  );
  if (response instanceof PerdureError || response.status < 300) return response;
  const message = refusalText(textOf(response));
  if (response.status === 404) return new PerdureError('not-found', `The gateway says: ${message}`, { baseUrl });
  if (response.status === 409) return new PerdureError('state/conflict', message, { baseUrl });
  if (response.status === 429)
    return new PerdureError('overloaded', `The gateway is overloaded: ${message}`, { baseUrl });
  if (response.status < 500)
    return new PerdureError('input/invalid', `The gateway refused the request: ${message}`, {
      status: response.status,
    });
  return new PerdureError(
    'server/unreachable',
    `The gateway at ${baseUrl} failed with status ${response.status}: ${message}`,
    { baseUrl },
  );
}

const textOf = ({ bytes }: HttpReply): string => new TextDecoder().decode(bytes);
const jsonOf = (reply: HttpReply): unknown => JSON.parse(textOf(reply));

function refusalText(text: string): string {
  try {
    const body = z.object({ error: z.string() }).safeParse(JSON.parse(text));
    return body.success ? body.data.error : text.slice(0, 300);
  } catch {
    return text.slice(0, 300);
  }
}
