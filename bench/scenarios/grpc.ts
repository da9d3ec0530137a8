import { grpcRequests, inferMethod } from '../load/grpc-requests.js';
import { pairedFigure } from '../figures/paired-figure.js';
import { pairedRounds } from '../figures/paired-rounds.js';
import type { Scenario } from '../scenario.js';

const name = 'grpc.single-row';
const title = 'single-row requests, 64 at a time: gateway by gRPC on one connection / by REST on 64';

/** gRPC beside REST. Nothing is asked of the ratio: docs/performance.md explains it. */
export const grpcScenario: Scenario = {
  name,
  title,
  async run({ load, gateway, requests, rows, contract, model, settle }, { rounds, seconds }) {
    const sides = await pairedRounds({
      load,
      reference: { ...gateway, requests: requests({ rowsPerRequest: 1, binary: false, count: 2_000 }) },
      measured: {
        port: gateway.grpcPort,
        processId: gateway.processId,
        requests: grpcRequests(model, contract, rows, 2_000),
        grpcMethod: inferMethod,
      },
      connections: 64,
      rounds,
      seconds,
      settle,
    });
    return pairedFigure({ name, title, ...sides, wanted: () => [] });
  },
};
