import type { ZodType } from 'zod';
import { errorCodes, messageOf, PerdureError, type ErrorCode } from '../../domain/errors.js';
import { stackHeader } from '../../domain/stack-identity.js';
import { errorBodySchema } from './error-body.js';
import { sendRequest } from './send-request.js';

export interface ApiRequest {
  method?: 'GET' | 'POST' | 'PUT' | 'DELETE';
  query?: Record<string, string | number | boolean | undefined>;
  json?: unknown;
  /** Bytes instead of JSON; of a file they are streamed. */
  body?: Blob;
  contentType?: string;
  /** Which stack the request is meant for, as `identityText` says it. */
  stack?: string | undefined;
  /** Milliseconds until the request is given up. */
  timeoutMs?: number;
}

/**
 * Sends one request; the answer is UTF-8 text.
 * @throws PerdureError `server/unreachable`, or with the code and message that the API answered.
 */
export async function requestText(baseUrl: string, path: string, request: ApiRequest = {}): Promise<string> {
  return new TextDecoder().decode(await requestBytes(baseUrl, path, request));
}

/** As `requestText`; the answer is taken as it is. */
export async function requestBytes(baseUrl: string, path: string, request: ApiRequest = {}): Promise<Uint8Array> {
  const url = new URL(`/api/v1${path}`, baseUrl);
  for (const [name, value] of Object.entries(request.query ?? {}))
    if (value !== undefined) url.searchParams.set(name, String(value));
  const contentType = request.contentType ?? (request.json === undefined ? undefined : 'application/json');
  const reply = await sendRequest(url, {
    method: request.method,
    headers: {
      accept: 'application/json',
      ...(contentType ? { 'content-type': contentType } : {}),
      ...(request.stack ? { [stackHeader]: request.stack } : {}),
    },
    body: request.body ?? (request.json === undefined ? undefined : JSON.stringify(request.json)),
    timeoutMs: request.timeoutMs ?? 30_000,
  }).catch((error: unknown) => {
    throw unreachable(baseUrl, error);
  });
  if (reply.status >= 300) throw refusal(url.pathname, reply.status, new TextDecoder().decode(reply.bytes));
  return reply.bytes;
}

/** Loads the schema of an answer. To build those of all answers takes a command longer than most requests. */
export type SchemaOf<T> = () => Promise<ZodType<T>>;

/** As `requestText`; the answer is parsed and checked, by a schema that is built while the answer is on its way. */
export async function requestJson<T>(
  schemaOf: SchemaOf<T>,
  baseUrl: string,
  path: string,
  request: ApiRequest = {},
): Promise<T> {
  const [text, schema] = await Promise.all([requestText(baseUrl, path, request), schemaOf()]);
  const parsed = schema.safeParse(parseJson(text));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new PerdureError(
    'environment/broken',
    `${baseUrl} answered ${path} with something else than this version of the client expects ` +
      `(${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}). Use a client and a server of the same ` +
      'version.',
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function refusal(path: string, status: number, text: string): Error {
  const body = errorBodySchema.safeParse(parseJson(text));
  if (!body.success) return new Error(`The control API answered ${path} with status ${status}: ${text.slice(0, 300)}`);
  const { code, message, details } = body.data.error;
  const known = errorCodes.find((one): one is ErrorCode => one === code);
  return known ? new PerdureError(known, message, details) : new Error(message);
}

function unreachable(baseUrl: string, error: unknown): PerdureError {
  return new PerdureError(
    'server/unreachable',
    `The control API at ${baseUrl} does not answer (${messageOf(error)}). Start the stack with \`npx perdure ` +
      `up\`, or ` +
      'set PERDURE_HOST and PERDURE_API_PORT to where it runs.',
    { baseUrl },
  );
}
