import type { ZodType } from 'zod';
import { errorCodes, messageOf, PerdureError, type ErrorCode } from '../../domain/errors.js';
import { stackHeader } from '../../domain/stack-identity.js';
import { errorBodySchema } from './error-body.js';

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
  const response = await fetch(url, {
    method: request.method ?? 'GET',
    headers: {
      accept: 'application/json',
      ...(contentType ? { 'content-type': contentType } : {}),
      ...(request.stack ? { [stackHeader]: request.stack } : {}),
    },
    signal: AbortSignal.timeout(request.timeoutMs ?? 30_000),
    ...(request.body
      ? { body: request.body }
      : request.json === undefined
        ? {}
        : { body: JSON.stringify(request.json) }),
  }).catch((error: unknown) => {
    throw unreachable(baseUrl, error);
  });
  const bytes = await response.arrayBuffer().catch((error: unknown) => {
    throw unreachable(baseUrl, error);
  });
  if (!response.ok) throw refusal(url.pathname, response.status, new TextDecoder().decode(bytes));
  return new Uint8Array(bytes);
}

/** As `requestText`; the answer is parsed and checked. */
export async function requestJson<T>(
  schema: ZodType<T>,
  baseUrl: string,
  path: string,
  request: ApiRequest = {},
): Promise<T> {
  const text = await requestText(baseUrl, path, request);
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

function unreachable(baseUrl: string, cause: unknown): PerdureError {
  return new PerdureError(
    'server/unreachable',
    `The control API at ${baseUrl} does not answer (${fetchProblem(cause)}). Start the stack with \`npx perdure up\`, or ` +
      'set PERDURE_HOST and PERDURE_API_PORT to where it runs.',
    { baseUrl },
  );
}

/** Why `fetch` got no answer. What it throws says no more than that; its cause knows why. */
export function fetchProblem(error: unknown): string {
  return error instanceof Error && error.cause instanceof Error ? error.cause.message || 'no answer' : messageOf(error);
}
