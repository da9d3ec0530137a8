import { atLeast, atMost } from '../figures/figure.js';
import { pairedFigure } from '../figures/paired-figure.js';
import { pairedRounds } from '../figures/paired-rounds.js';
import type { Scenario } from '../scenario.js';

/** The gateway beside the floor, and beside itself: small requests, large ones, JSON and binary tensors. */
export const servingScenarios: Scenario[] = [
  againstFloor({ name: 'serving.single-row.c64', rowsPerRequest: 1, connections: 64, ratioWanted: 1, p99Wanted: 1.3 }),
  againstFloor({ name: 'serving.hundred-rows.c8', rowsPerRequest: 100, connections: 8, ratioWanted: 0.9 }),
  binaryAgainstJson({ name: 'serving.binary-single-row.c64', rowsPerRequest: 1, connections: 64 }),
  binaryAgainstJson({ name: 'serving.binary-hundred-rows.c8', rowsPerRequest: 100, connections: 8 }),
];

interface Size {
  name: string;
  rowsPerRequest: number;
  connections: number;
}

/** Different requests, so that nobody's cache answers. */
const differentRequests = (rowsPerRequest: number) => Math.max(50, 2_000 / rowsPerRequest);

function againstFloor({
  name,
  rowsPerRequest,
  connections,
  ratioWanted,
  p99Wanted,
}: Size & { ratioWanted: number; p99Wanted?: number }): Scenario {
  const title =
    `${rowsPerRequest === 1 ? 'single-row' : `${rowsPerRequest}-row`} requests in JSON on ` +
    `${connections} connections: gateway / floor`;
  return {
    name,
    title,
    async run({ load, gateway, floor, requests, settle }, { rounds, seconds }) {
      const made = requests({ rowsPerRequest, binary: false, count: differentRequests(rowsPerRequest) });
      const sides = await pairedRounds({
        load,
        reference: { ...floor, requests: made },
        measured: { ...gateway, requests: made },
        connections,
        rounds,
        seconds,
        settle,
      });
      return pairedFigure({
        name,
        title,
        ...sides,
        wanted: ({ ratio, p99Ratio }) => [
          atLeast('ratio', ratio.median, ratioWanted),
          ...(p99Wanted === undefined ? [] : [atMost('p99 ratio', p99Ratio.median, p99Wanted)]),
        ],
      });
    },
  };
}

function binaryAgainstJson({ name, rowsPerRequest, connections }: Size): Scenario {
  const title =
    `${rowsPerRequest === 1 ? 'single-row' : `${rowsPerRequest}-row`} requests on ${connections} ` +
    'connections: gateway by binary tensors / by JSON';
  return {
    name,
    title,
    async run({ load, gateway, requests, settle }, { rounds, seconds }) {
      const count = differentRequests(rowsPerRequest);
      const sides = await pairedRounds({
        load,
        reference: { ...gateway, requests: requests({ rowsPerRequest, binary: false, count }) },
        measured: { ...gateway, requests: requests({ rowsPerRequest, binary: true, count }) },
        connections,
        rounds,
        seconds,
        settle,
      });
      return pairedFigure({ name, title, ...sides, wanted: ({ ratio }) => [atLeast('ratio', ratio.median, 1)] });
    },
  };
}
