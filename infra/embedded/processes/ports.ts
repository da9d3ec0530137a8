import { createServer } from 'node:net';
import { PerdureError } from '../../../domain/errors.js';
import { describeOwner, portOwner } from './port-owner.js';

export interface PortClaim {
  port: number;
  /** The environment variable that moves this port. */
  variable: string;
  /** What it is for, in words. */
  purpose: string;
}

/**
 * @throws PerdureError `environment/broken` that names the variable and, where the system tells, the process that
 * listens there.
 */
export async function assertPortsFree(host: string, claims: readonly PortClaim[]): Promise<void> {
  for (const claim of claims) {
    if (await canListen(host, claim.port)) continue;
    const owner = portOwner(claim.port);
    throw new PerdureError(
      'environment/broken',
      `Port ${claim.port} (${claim.purpose}) is taken by ${describeOwner(owner)}. ` +
        'Stop ' +
        `that${
          owner?.home === undefined ? ' process' : ` stack with \`PERDURE_HOME=${owner.home} npx perdure down\``
        }, ` +
        `or set ${claim.variable} to a free port.`,
      { port: claim.port, variable: claim.variable, ...(owner ? { pid: owner.pid } : {}) },
    );
  }
}

export function canListen(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host, exclusive: true }, () => server.close(() => resolve(true)));
  });
}

const lowest = 18_000;
/** Where Linux begins to take ports for outgoing connections, unless it is told otherwise. */
const outgoingFrom = 32_768;

/** Found by this process before, whose servers may not listen yet. */
const handedOut = new Set<number>();

/** The first of `count` neighbouring free ports at or above a random place; `alsoFree` may ask for more of each. */
export async function findFreePorts(host: string, count: number, offsets: readonly number[] = [0]): Promise<number> {
  for (let attempt = 0; attempt < 200; attempt += 1) {
    // All of them, offsets included, below the range from which the kernel takes ports for outgoing connections: one of
    // those may come at any moment.
    const room = outgoingFrom - lowest - Math.max(...offsets) - count;
    const first = lowest + Math.floor((Math.random() * room) / 4) * 4;
    const wanted = Array.from({ length: count }, (_, index) => offsets.map((offset) => first + index + offset)).flat();
    if (wanted.some((port) => handedOut.has(port))) continue;
    const free = await Promise.all(wanted.map((port) => canListen(host, port)));
    if (!free.every(Boolean) || wanted.some((port) => handedOut.has(port))) continue;
    for (const port of wanted) handedOut.add(port);
    return first;
  }
  throw new PerdureError(
    'environment/broken',
    `No ${count} neighbouring free ports were found on ${host}. Stop processes that hold many ports.`,
  );
}
