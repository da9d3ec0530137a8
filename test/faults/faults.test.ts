import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { promotionResult, startPromotion } from '../../client/promotion.js';
import { pollUntil } from '../integration/infra/poll-until.js';
import { violations } from './checks/index.js';
import { drillDefinition, drillModel, drillOnnx, drillPolicies, registerDrillVersion } from './drill-model.js';
import { startDrillStack, type DrillStack } from './drill-stack.js';
import type { Facts, ToldApproval } from './facts.js';
import { faultText, leastCount, planFaults, roundsOf, type Fault } from './fault-plan.js';
import { startTraffic, type LiveTraffic } from './live-traffic.js';
import { playRound } from './play-round.js';
import { readWrites } from './recorded-facts.js';
import { prepareReplay, replayHistories } from './replay-histories.js';

const seed = Number(process.env['PERDURE_FAULT_SEED'] ?? 1);
/** By default a few, always the same: the whole suite must end in time. `least` covers every component, kind and moment, and every step of every strategy. */
const wanted = process.env['PERDURE_FAULT_COUNT'] ?? '10';
const plan = planFaults(seed, wanted === 'all' ? 'all' : wanted === 'least' ? leastCount : Number(wanted));
const rounds = roundsOf(plan);
const requestsPerSecond = 80;

/**
 * Promotions by every strategy under live traffic, with something killed or paused at an exact moment of each step. The versions build on each other: what one
 * promotion has brought about is where the next begins. PERDURE_FAULT_SEED repeats a plan.
 */
describe(`faults of seed ${seed}`, () => {
  let drill: DrillStack;
  let traffic: LiveTraffic;
  const told: ToldApproval[] = [];
  const versions: number[] = [];
  let struck = 0;

  const readFacts = async (): Promise<Facts> => {
    const executions = (await drill.all.workflows()).map(({ workflowId, runId }) => ({ workflowId, runId }));
    const replays = await replayHistories(drill.all.temporal, executions);
    return { ...(await readWrites(drill.db)), told, asked: traffic.asked.slice(), replays };
  };
  const mustHold = async (when: string) => {
    const facts = await pollUntil('the facts are read', 60_000, readFacts);
    const found = violations(facts);
    if (found.length > 0) writeFileSync(path.join(tmpdir(), `perdure-faults-${seed}.json`), JSON.stringify(facts));
    expect(found, `seed ${seed}, ${when}; the facts are in ${tmpdir()}/perdure-faults-${seed}.json`).toEqual([]);
  };

  beforeAll(async () => {
    process.stdout.write(`\nPERDURE_FAULT_SEED=${seed}: ${plan.length} faults in ${rounds.length} promotions\n`);
    await prepareReplay();
    drill = await startDrillStack();
    for (const [at, strategy] of ['direct' as const, ...rounds.map((round) => round.strategy)].entries()) {
      // Each version that is tried by A/B must be better than every one before it.
      const intercept =
        (strategy === 'ab' ? 0.8 * (1 + rounds.slice(0, at).filter((round) => round.strategy === 'ab').length) : 0) - 1 + at / 1000;
      versions.push(await registerDrillVersion(drill, drillDefinition(drillPolicies[strategy]), drillOnnx(intercept)));
    }
    const first = { model: drillModel, version: versions[0] ?? 1, environment: 'production', requestedBy: 'rita@local' } as const;
    const { workflowId, runId } = await startPromotion(drill.all.temporal, first);
    expect(await promotionResult(drill.all.temporal, workflowId, runId)).toMatchObject({ state: 'promoted' });
    traffic = startTraffic(drill.gateways, requestsPerSecond);
  });
  afterAll(async () => {
    await traffic?.stop();
    process.stdout.write(
      `\n${struck} faults, ${traffic?.asked.length ?? 0} predictions, ${traffic?.asked.filter(({ answer }) => answer === null).length} failed\n`,
    );
    process.stdout.write(`asked again: ${JSON.stringify(Object.fromEntries(traffic?.problems ?? []), null, 1)}\n`);
    expect(await drill?.close()).toEqual([]);
  });

  it.each(rounds.map((round, at) => ({ at, ...round, title: `${round.strategy}: ${round.faults.map(faultText).join('; ')}` })))(
    '$title',
    async ({ at, ...round }) => {
      const ended = await playRound(drill, round, versions[at + 1] ?? 0, {
        told,
        async afterFault(fault: Fault) {
          struck += 1;
          await mustHold(`after: ${round.strategy}, ${faultText(fault)}`);
        },
      });
      expect(['promoted', 'rolled-back']).toContain(ended.state);
      await mustHold(`at the end of ${round.strategy}`);
    },
  );
});
