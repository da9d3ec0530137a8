import { identityText, type StackIdentity } from '../../../domain/stack-identity.js';
import type { ListPage } from '../page.js';
import { requestBytes, requestJson, requestText, type ApiRequest, type SchemaOf } from '../request.js';

export const segment = encodeURIComponent;

/** How the calls of the client ask one API: its address and the stack that is meant are known already. */
export interface Ask {
  /** JSON that a schema checks. */
  call: <T>(schemaOf: SchemaOf<T>, path: string, request?: ApiRequest) => Promise<T>;
  bytes: (path: string, request?: ApiRequest) => ReturnType<typeof requestBytes>;
  text: (path: string, request?: ApiRequest) => ReturnType<typeof requestText>;
  /** Without the names that 0.1 gave the items. */
  list: <Item>(schemaOf: SchemaOf<ListPage<Item>>, path: string, query: object) => Promise<ListPage<Item>>;
}

export function askerOf(baseUrl: string, stack?: StackIdentity): Ask {
  const stamped = (request: ApiRequest = {}): ApiRequest => ({ ...request, stack: stack && identityText(stack) });
  const call: Ask['call'] = (schemaOf, path, request) => requestJson(schemaOf, baseUrl, path, stamped(request));
  return {
    call,
    bytes: (path, request) => requestBytes(baseUrl, path, stamped(request)),
    text: (path, request) => requestText(baseUrl, path, stamped(request)),
    list: async (schemaOf, path, query) => {
      const { items, next } = await call(schemaOf, path, { query: { ...query } });
      return { items, next };
    },
  };
}
