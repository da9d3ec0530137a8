import { PerdureError } from './errors.js';

/** What a request says of where it comes from: its headers, in lower case. */
export interface RequestOrigin {
  method: string;
  host: string | undefined;
  origin: string | undefined;
  fetchSite: string | undefined;
}

const reading = new Set(['GET', 'HEAD', 'OPTIONS']);
const loopback = /^(?:(?:[a-z0-9-]+\.)*localhost|127(?:\.\d{1,3}){3}|\[::1\])$/;

/**
 * Keeps pages of other sites from using a server that trusts whoever reaches it: the browser that shows them reaches it
 * too. A page whose name was made to point here (DNS rebinding) gives itself away by the name in `Host`; one that sends
 * a form or a request across sites by `Origin` and `Sec-Fetch-Site`, which programs do not send.
 * @param names beside those of the loopback interface, under which the server is called: `name` for any port, or
 * `name:port`
 */
export function createOriginCheck(names: readonly string[]): (request: RequestOrigin) => PerdureError | undefined {
  const known = new Set(names.map((name) => bracketed(name.trim().toLowerCase())));
  const isKnown = (host: string): boolean => {
    const [, name = '', port = ''] = /^(\[[\da-f:.]+\]|[^:]+?)\.?(:\d{1,5})?$/.exec(host) ?? [];
    return loopback.test(name) || known.has(name) || (port !== '' && known.has(name + port));
  };
  return ({ method, host, origin, fetchSite }) => {
    if (host === undefined || !isKnown(host.toLowerCase())) {
      return new PerdureError(
        'host/unknown',
        `This server is not known as ${JSON.stringify((host ?? '').slice(0, 200))}. Call it by localhost or ` +
          'its address, or add the name to PERDURE_ALLOWED_HOSTS.',
      );
    }
    if (reading.has(method)) return undefined;
    const foreign =
      origin === undefined
        ? fetchSite === 'cross-site' || fetchSite === 'same-site'
        : hostOf(origin) !== host.toLowerCase();
    if (!foreign) return undefined;
    return new PerdureError(
      'access/denied',
      `A page of ${JSON.stringify((origin ?? 'another site').slice(0, 200))} may not change anything here. ` +
        'Use the command line, or a page of this server.',
    );
  };
}

/** What a request's headers say; of several values the first counts. */
export function requestOrigin(
  method: string,
  headers: Readonly<Record<string, string | string[] | undefined>>,
): RequestOrigin {
  const one = (name: string) => [headers[name]].flat()[0];
  return { method, host: one('host'), origin: one('origin'), fetchSite: one('sec-fetch-site') };
}

/** The names under which a server is called that listens on `host`, with those of PERDURE_ALLOWED_HOSTS. */
export function knownNames(host: string, allowed: string | undefined): string[] {
  return [host, ...(allowed ?? '').split(',')].map((name) => name.trim()).filter((name) => name !== '');
}

/** An address of IPv6 as a `Host` header has it. */
function bracketed(name: string): string {
  return name.includes(':') && !name.startsWith('[') && name.indexOf(':') !== name.lastIndexOf(':')
    ? `[${name}]`
    : name;
}

function hostOf(origin: string): string | undefined {
  try {
    return new URL(origin).host;
  } catch {
    return undefined; // `null`, which pages send that hide where they come from.
  }
}
