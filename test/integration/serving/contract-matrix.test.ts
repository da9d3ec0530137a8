import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { parseModelDefinition } from '../../../domain/model/parse-definition.js';
import type { RouteTarget } from '../../../domain/serving/route.js';
import { routeOfStage, stagesOf, type RolloutParties } from '../../../domain/rollout/strategy-stages.js';
import { rolloutPolicySchema } from '../../../domain/rollout/rollout-policy.js';
import flightDelay from '../../../models/flight-delay/model.js';
import { championContract, contractChanges, type Callers, type ContractChange } from './contract-changes.js';
import { eventually } from '../../support/poll-until.js';
import { createTestWorld, type TestWorld } from '../../support/gateway-harness.js';
import { expectedScore, tinyModel, type Row } from './tiny-model.js';

/** Requests of each kind of callers that every stage answers or refuses at least. */
const requestsOfStage = 6;
const biases = { 1: -0.5, 2: 0.25 };

let world: TestWorld;
let started: Awaited<ReturnType<TestWorld['start']>>;
beforeAll(async () => {
  world = await createTestWorld();
  started = await world.start({ unloadAfterMs: 200, coldStartMs: 0, windowEveryMs: 50 });
});
afterAll(() => world.close());

interface Stage {
  name: string;
  target: RouteTarget;
  isWayBack: boolean;
}

/** Every stage of every strategy as the product's own rules write it, each route once, and the way back. */
function allStages(): Stage[] {
  const parties: RolloutParties = { champion: 1, challenger: 2, alsoShadow: [], testers: { keys: [], headers: [] } };
  const policies: z.input<typeof rolloutPolicySchema>[] = [
    { strategy: 'canary', steps: [{ sharePct: 30 }, { sharePct: 70 }, { sharePct: 100 }] },
    { strategy: 'shadow' },
    { strategy: 'ab', outcome: { metric: 'errorShare' } },
    { strategy: 'blue-green' },
  ];
  const stages = policies.flatMap((policy) => stagesOf(rolloutPolicySchema.parse(policy), { hasChampion: true }));
  const back = { name: 'rollback', challengerPct: 0, shadowPct: 0, standby: 'none' } as const;
  const different = new Map([...stages, back].map((stage) => [JSON.stringify(routeOfStage(stage, parties)), stage]));
  return [...different.values()].map((stage, number) => ({
    ...{ name: `stage ${number}, ${stage.name}`, target: routeOfStage(stage, parties), isWayBack: stage === back },
  }));
}

const answerSchema = z.object({
  model_version: z.coerce.number(),
  outputs: z.tuple([z.unknown(), z.object({ data: z.array(z.number()) })]),
});

interface Outcome {
  /** The stage that was in force when it was sent, and that when the answer was there. */
  from: string;
  to: string;
  status: number;
  version: number;
  score: number;
  message: string;
}

/** Sends rows until it is stopped. */
class Traffic {
  readonly outcomes: Outcome[] = [];
  private stopped = false;
  private readonly ended: Promise<void>;

  constructor(
    private readonly url: string,
    private readonly row: Row,
    private readonly stage: () => string,
  ) {
    this.ended = this.run();
    this.ended.catch(() => undefined); // `stop` tells it.
  }

  in(stage: string): Outcome[] {
    return this.outcomes.filter(({ from, to }) => from === stage && to === stage);
  }

  stop(): Promise<void> {
    this.stopped = true;
    return this.ended;
  }

  private async run(): Promise<void> {
    const inputs = Object.entries(this.row).map(([name, value]) => ({
      ...{ name, shape: [1, 1], data: [value] },
      datatype: typeof value === 'number' || (value === null && name === 'amount') ? 'FP32' : 'BYTES',
    }));
    const body = JSON.stringify({ inputs });
    // Paced, so that a dozen of them leave the gateway some of a small machine.
    for (; !this.stopped; await new Promise((resolve) => setTimeout(resolve, 10))) {
      const from = this.stage();
      const response = await fetch(this.url, { method: 'POST', headers: { 'content-type': 'application/json' }, body });
      const text = await response.text();
      const answer = response.status === 200 ? answerSchema.parse(JSON.parse(text)) : undefined;
      this.outcomes.push({
        ...{ from, to: this.stage(), status: response.status, message: answer ? '' : text },
        ...{ version: answer?.model_version ?? 0, score: answer?.outputs[1].data[1] ?? NaN },
      });
    }
  }
}

/** The versions that may answer some callers in a stage; none where they are refused. */
function answerersOf({ takenBy, takenBySecondAlone }: Callers, { split, standby }: RouteTarget): number[] {
  // A challenger that stands by has no callers yet; a champion that does answers what the challenger refuses.
  const named = [...split.map(({ version }) => version), ...standby.filter((version) => version === 1)];
  if (takenBySecondAlone !== undefined && named.every((version) => version === 2)) return takenBySecondAlone ? [2] : [];
  return named.filter((version) => takenBy.some((one) => one === version));
}

const challengerErrors = (model: string, epoch: number) =>
  [...world.controlPlane.windows.values()]
    .filter((one) => one.model === model && one.epoch === epoch && one.version === 2 && one.role !== 'override')
    .reduce((sum, one) => sum + one.errors, 0);

async function playStage(
  model: string,
  epoch: number,
  stage: Stage,
  change: ContractChange,
  setStage: (name: string) => void,
  callers: Record<'old' | 'new', Traffic>,
) {
  const { controlPlane } = world;
  const { split, shadows } = stage.target;
  setStage('');
  // As the control plane tells it of a route that went back.
  controlPlane.former = controlPlane.former.filter((one) => one.model !== model);
  const served = controlPlane.state.versions.find((one) => one.model === model && one.version === 2);
  if (stage.isWayBack && served !== undefined)
    controlPlane.former.push({ model, version: 2, definitionSha256: served.definitionSha256 });
  controlPlane.route(model, epoch, split, stage.target);
  await eventually(`${stage.name} is acknowledged`, () =>
    controlPlane.acknowledgements.some((one) => one.model === model && one.epoch === epoch),
  );
  setStage(stage.name);
  const told = () =>
    ['old', 'new'].every((who) => callers[who as 'old' | 'new'].in(stage.name).length >= requestsOfStage);
  await eventually(`traffic in ${stage.name}`, told);
  const judged = [...split.slice(-1), ...shadows].some(({ version }) => version === 2);
  const promised = change.old.takenBy.some((one) => one === 1) && !change.old.takenBy.some((one) => one === 2);
  const hasChampion = [...split, ...stage.target.standby.map((version) => ({ version }))].some(
    ({ version }) => version === 1,
  );
  if (judged && promised && hasChampion)
    await eventually(`errors of the challenger in ${stage.name}`, () => challengerErrors(model, epoch) > 0);
}

describe.concurrent('under traffic, through every stage of every strategy and back', () => {
  test.each(contractChanges)(
    '$name: no request fails that the route takes, and what the challenger refuses is its error',
    { timeout: 180_000 },
    async (change) => {
      const model = `shop-${contractChanges.indexOf(change)}`;
      const contracts = { 1: championContract, 2: change.challenger };
      for (const version of [1, 2] as const) {
        const definition = parseModelDefinition({
          ...flightDelay,
          ...{ name: model, contract: contracts[version] },
          evaluation: {
            ...flightDelay.evaluation,
            slices: [],
            gates: [{ name: 'auc', metric: 'rocAuc', atLeast: 0.5 }],
          },
          monitoring: {},
        });
        await world.addVersion(version, 0, {
          definition,
          bytes: tinyModel(contracts[version], biases[version], version === 2 ? change.fault : undefined),
        });
      }
      world.controlPlane.route(model, 1, [{ version: 1, sharePct: 100 }]);
      await eventually('version 1 answers', () => started.gateway.status().routes.some((one) => one.model === model));
      let current = '';
      const url = `${started.url}/v2/models/${model}/infer`;
      const callers = {
        old: new Traffic(url, change.old.row, () => current),
        new: new Traffic(url, change.new.row, () => current),
      };
      const stages = allStages();
      try {
        for (const [index, stage] of stages.entries()) {
          await playStage(model, index + 2, stage, change, (name) => (current = name), callers);
        }
      } finally {
        await Promise.all([callers.old.stop(), callers.new.stop()]);
      }
      for (const who of ['old', 'new'] as const) {
        for (const stage of stages) {
          const answerers = answerersOf(change[who], stage.target);
          for (const { status, version, score, message } of callers[who].in(stage.name)) {
            const said = `${who} callers, ${stage.name}: ${status} by ${version} ${message}`;
            if (answerers.length === 0) {
              expect(status, said).toBe(change.fault ? 500 : 400);
              expect(message).toMatch(change.fault ? /probability/ : /amount|colour|note|size/);
              continue;
            }
            expect(status, said).toBe(200);
            expect(answerers, said).toContain(version);
            const answering = version === 1 ? 1 : 2;
            expect(score, said).toBeCloseTo(expectedScore(contracts[answering], biases[answering], change[who].row), 5);
          }
        }
      }
    },
  );
});
