import { setTimeout as delay } from 'node:timers/promises';
import { createApiClient, type ApiClient } from '../../client/http/api-client.js';
import type { TemporalHandle } from '../../client/connect.js';
import { promotionResult, promotionStatus } from '../../client/promotion.js';
import { startTraining, trainingResult } from '../../client/training.js';
import { PerdureError } from '../../domain/errors.js';
import { workflowIds } from '../../domain/ids.js';
import type { PromotionState } from '../../domain/promotion/promotion.js';
import type { PerdureConfig } from '../../perdure.config.js';
import flightDelay from '../../models/flight-delay/model.js';
import { addressOf } from '../embedded/stack-environment.js';
import { arrive } from './arrival.js';
import { liveFlights } from './live-flights.js';
import { collectReport } from './collect-report.js';
import type { MainJobReport } from './report.js';
import type { Steps } from './steps.js';
import { replayTraffic, type TrafficCounts } from './traffic.js';
import type { FlightRequest } from './flights-requests.js';

export interface MainJobOptions {
  config: PerdureConfig;
  addresses: { api: string; gateways: Record<string, string>; temporalUi: string | undefined };
  temporal: TemporalHandle;
  steps: Steps;
  startedAt: string;
  unattended: boolean;
  signal: AbortSignal;
}

const model = flightDelay.name;
const requestsPerSecond = 250;

/**
 * The life of `flight-delay` from its first data to its second champion. Every step may be repeated: what is done
 * already is found, so that a run that was interrupted goes on.
 * @throws PerdureError of the step that failed.
 */
export async function runMainJob({
  config,
  addresses,
  temporal,
  steps,
  startedAt,
  unattended,
  signal,
}: MainJobOptions): Promise<MainJobReport> {
  const api = createApiClient(addresses.api);
  const arrival = { api, model, projectRoot: config.projectRoot, home: config.home };

  await steps.run('apply', `applying the definition of ${model}`, async (say) => {
    const applied = await api.apply({ definitions: [flightDelay], plan: false, prune: false, actor: 'main-job' });
    say(applied.definitions.map((one) => `${one.model}: ${one.change}`).join(', '));
  });
  await steps.run('arrive-1', 'January and February arrive', async () => {
    await arrive(arrival, '2013-01');
    await arrive(arrival, '2013-02');
  });
  const first = await train('train-1', '2013-02');
  await steps.run('serve-1', `version ${first} enters the empty production environment automatically`, async () => {
    expectPromoted(await promotionResult(temporal, workflowIds.promote(model, first, 'production')));
  });

  await steps.run('arrive-2', 'March arrives', () => arrive(arrival, '2013-03'));
  const second = await train('train-2', '2013-03');
  const promotion = workflowIds.promote(model, second, 'production');
  const requests = await steps.run('arrive-3', 'April arrives: its flights become live requests', async () => {
    await arrive(arrival, '2013-04');
    return liveFlights({ config, definition: flightDelay, month: '2013-04' });
  });

  await steps.run('approve', `version ${second} waits for approval, with its evidence`, (say) =>
    untilDecided({ api, temporal, promotion, unattended, signal }, say),
  );

  const counts = await steps.run(
    'canary',
    `canary of version ${second} while April is replayed at ${requestsPerSecond} requests a second`,
    (say) =>
      throughCanary(
        { temporal, promotion, requests, gatewayUrl: addressOf(addresses.gateways, 'production'), signal },
        say,
      ),
  );

  return collectReport({ api, model, startedAt, counts, stepsMs: steps.durationsMs });

  async function train(step: string, until: string): Promise<number> {
    return steps.run(step, `training on all months before ${until}, tested on ${until}`, async (say) => {
      const started = await startTraining(temporal, {
        model,
        cause: { kind: 'data', id: until, actor: 'system:data' },
      });
      if (addresses.temporalUi)
        say(
          `${addresses.temporalUi}/namespaces/${temporal.config.namespace}/workflows/` +
            encodeURIComponent(started.workflowId),
        );
      const watching = new AbortController();
      const watched = watchRun(api, started.runId, say, watching.signal);
      const result = await trainingResult(temporal, started.workflowId).finally(() => watching.abort());
      await watched;
      if (result.version === null)
        throw new PerdureError(
          result.outcome === 'gate-not-passed' ? 'gate/not-passed' : 'training/failed',
          `${result.outcome}: ${result.reason}`,
        );
      return result.version;
    });
  }
}

interface Awaited {
  temporal: MainJobOptions['temporal'];
  promotion: string;
  signal: AbortSignal;
}

/** Waits until somebody has decided on the promotion, or decides by itself when nobody attends. */
async function untilDecided(
  { api, temporal, promotion, unattended, signal }: Awaited & { api: ApiClient; unattended: boolean },
  say: (line: string) => void,
): Promise<void> {
  const state = await untilAsked(temporal, promotion, signal);
  if (state !== 'waiting-for-approval') return say(`no decision needed: the promotion is ${state}`);
  if (unattended) {
    const { promotionId, evidenceSha256 } = await promotionStatus(temporal, promotion);
    // Over the control API, which signs.
    const { counted, reason } = await api.decidePromotion(promotionId, {
      ...(evidenceSha256 && { evidenceSha256 }),
      decision: 'approve',
      actor: 'unattended@local',
      comment: 'approved by npm start -- --unattended',
    });
    if (!counted) say(`not counted: ${reason}`);
    return;
  }
  await sayHowToDecide(api, promotion, temporal.config.connection.address, say);
  while ((await promotionStatus(temporal, promotion)).state === 'waiting-for-approval')
    await delay(1000, undefined, { signal });
}

/** Replays live requests until the promotion has ended. */
async function throughCanary(
  { temporal, promotion, requests, gatewayUrl, signal }: Awaited & { requests: FlightRequest[]; gatewayUrl: string },
  say: (line: string) => void,
): Promise<TrafficCounts> {
  const over = new AbortController();
  const traffic = replayTraffic({
    gatewayUrl,
    definition: flightDelay,
    requests,
    perSecond: requestsPerSecond,
    signal: AbortSignal.any([over.signal, signal]),
    onCounts: everyFifth((counted) => say(countsLine(counted))),
  });
  try {
    const outcome = promotionResult(temporal, promotion);
    // Traffic that fails ends the step; a promotion that ends, ends the traffic.
    expectPromoted(await Promise.race([outcome, traffic.then(() => outcome)]));
  } finally {
    over.abort();
  }
  const counted = await traffic;
  say(countsLine(counted));
  return counted;
}

/** Says each step of a run as it is finished. */
async function watchRun(
  api: ApiClient,
  runId: string,
  say: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const said = new Set<string>();
  for (let last = false; !last;) {
    last = signal.aborted;
    const run = await api.run(runId).catch(() => undefined);
    for (const step of run?.steps ?? []) {
      if (step.finishedAt === null || said.has(step.step)) continue;
      said.add(step.step);
      say(`${step.step}: ${step.summary ?? ''}`);
    }
    if (!last) await delay(500, undefined, { signal }).catch(() => undefined);
  }
}

/**
 * Waits until the promotion asks for a decision, or needs none any more: in a run that goes on where an earlier one
 * ended. Answers its state.
 */
async function untilAsked(temporal: TemporalHandle, promotion: string, signal: AbortSignal): Promise<PromotionState> {
  for (;;) {
    const { state } = await promotionStatus(temporal, promotion);
    if (state !== 'gathering-evidence') return state;
    await delay(200, undefined, { signal });
  }
}

async function sayHowToDecide(
  api: ApiClient,
  promotion: string,
  address: string,
  say: (line: string) => void,
): Promise<void> {
  const [shown] = (await api.promotions({ workflowId: promotion, limit: 1 })).items;
  say(`evidence ${shown?.evidenceSha256 ?? ''}: npx perdure promotions show ${promotion}`);
  say(`approve: npx perdure approve ${promotion} --comment "…"`);
  const signal = `workflow signal --address ${address} --workflow-id ${promotion} --name approve`;
  say(`or:      .tools/servers/bin/temporal ${signal} --input '{"actor":"you@local","comment":"…"}'`);
}

function expectPromoted({ state, reason }: { state: string; reason: string }): void {
  if (state === 'promoted') return;
  const code = state === 'rolled-back' ? 'rollout/rolled-back' : 'promotion/not-approved';
  throw new PerdureError(code, `the promotion ended ${state}: ${reason}`);
}

const countsLine = ({ answered, failed }: TrafficCounts): string =>
  `${
    Object.entries(answered)
      .map(([version, requests]) => `version ${version}: ${requests}`)
      .join(', ') || 'no answers yet'
  } requests answered, ${failed} failed`;

function everyFifth(report: (counts: TrafficCounts) => void): (counts: TrafficCounts) => void {
  let calls = 0;
  return (counts) => {
    if (calls++ % 5 === 4) report(counts);
  };
}
