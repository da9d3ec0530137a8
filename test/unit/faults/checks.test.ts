import { describe, expect, it } from 'vitest';
import { seededRandom, type Random } from '../../../domain/statistics/random.js';
import { checks, violations, type CheckName } from '../../faults/checks/index.js';
import { grouped, type Asked, type Facts, type RouteRow, type Written } from '../../faults/facts.js';
import { honestFacts } from './honest-facts.js';

/** Breaks good facts somewhere that the seed chooses. */
type Break = (facts: Facts, random: Random) => void;

const any = <T>(values: readonly T[], random: Random): T => {
  const value = values[random.below(values.length)];
  if (value === undefined) throw new Error('there is nothing to break');
  return value;
};
const routeOf = (facts: Facts, key: string): Written<RouteRow> => {
  const found = facts.routes.find(({ row }) => row.idempotencyKey === key);
  if (!found) throw new Error(`no route ${key}`);
  return found;
};
const answered = ({ asked }: Facts) => asked.flatMap(({ answer }) => (answer === null ? [] : [answer]));
const after = <Row>(written: readonly Written<Row>[]) => (written.at(-1)?.order ?? 0) + 0.5;

/** What must be found, by the check that must find it. */
const breaks: Record<CheckName, Record<string, Break>> = {
  oneChampion: {
    'two routes under one epoch': (facts, random) => {
      const { row, order } = any(facts.routes, random);
      facts.routes.push({ order: order + 0.5, change: 'INSERT', row: { ...row, idempotencyKey: 'another' } });
    },
    'a gap between epochs': (facts, random) => void facts.routes.splice(random.below(facts.routes.length - 1), 1),
    'a key that was used twice': (facts, random) => {
      const [first, ...rest] = facts.routes;
      any(rest, random).row.idempotencyKey = first?.row.idempotencyKey ?? '';
    },
    'a route that was changed': (facts, random) =>
      void facts.routes.push({ ...any(facts.routes, random), change: 'UPDATE' }),
    'shares that do not make 100': (facts, random) =>
      void any(facts.routes, random).row.split.push({ version: 9, sharePct: 1 + random.below(99) }),
    'a split that outlives its rollout': (facts) => void facts.routes.pop(),
  },
  monotoneShares: {
    'more than the stage grants': (facts, random) => {
      const share = 21 + random.below(70);
      routeOf(facts, 'r2/step-0').row.split = [
        { version: 1, sharePct: 100 - share },
        { version: 2, sharePct: share },
      ];
    },
    'a share that falls without going back': (facts, random) => {
      const share = 1 + random.below(19);
      routeOf(facts, 'r2/step-1').row.split = [
        { version: 1, sharePct: 100 - share },
        { version: 2, sharePct: share },
      ];
    },
    'a stage left out': (facts) => void (routeOf(facts, 'r2/step-0').row.idempotencyKey = 'somebody/step-0'),
    'a stage after going back': (facts) => {
      const back = routeOf(facts, 'r3/back');
      facts.routes.push({
        order: back.order + 0.5,
        change: 'INSERT',
        row: { ...routeOf(facts, 'r3/step-0').row, epoch: 6, idempotencyKey: 'r3/step-1' },
      });
    },
    'traffic for a version that takes no part': (facts) =>
      void (routeOf(facts, 'r2/step-0').row.split[1] = { version: 7, sharePct: 20 }),
    'a challenger that keeps traffic after going back': (facts) =>
      void (routeOf(facts, 'r3/back').row.split = routeOf(facts, 'r3/step-0').row.split),
  },
  answersAsRouted: {
    'an answer by a version that only stands by': (facts, random) => void (any(answered(facts), random).version = 8),
    'an answer under an epoch that nobody wrote': (facts, random) => void (any(answered(facts), random).epoch = 77),
    'a challenger that gets more than its share': (facts) => {
      for (const answer of answered(facts).filter(({ epoch }) => epoch === 2)) answer.version = 2;
    },
  },
  noLostApproval: {
    'a decision that was deleted': (facts, random) => {
      const { row } = any(facts.decisions, random);
      facts.decisions.push({ order: after(facts.decisions), change: 'DELETE', row });
    },
    'a decision that never reached the table': (facts, random) =>
      void facts.decisions.splice(random.below(facts.decisions.length), 1),
    'a decision that no longer counts': (facts, random) => void (any(facts.decisions, random).row.counted = false),
    'a person who counts twice': (facts, random) => {
      const { row } = any(facts.decisions, random);
      facts.decisions.push({ order: after(facts.decisions), change: 'INSERT', row: { ...row, sequence: 9 } });
    },
  },
  effectOnlyWithApprovals: {
    'one approval too few': (facts, random) => void facts.decisions.splice(random.below(facts.decisions.length), 1),
    'approvals on other evidence': (facts, random) => void (any(facts.decisions, random).row.evidenceSha256 = 'older'),
    'approvals after the effect': (facts, random) => void (any(facts.decisions, random).order = 10_000),
    'a rejection that was passed over': (facts, random) => void (any(facts.decisions, random).row.decision = 'reject'),
    'no promotion at all': (facts, random) => {
      const id = `r${1 + random.below(3)}`;
      for (const { row } of facts.rollouts) if (row.id === id) row.promotionId = null;
    },
  },
  acknowledgementsRise: {
    'a lower epoch after a higher one': (facts, random) => {
      const { row } = any(
        facts.acknowledgements.filter((one) => one.row.epoch < 5),
        random,
      );
      facts.acknowledgements.push({ order: after(facts.acknowledgements), change: 'UPDATE', row });
    },
    'an epoch before it was written': (facts, random) => void (any(facts.acknowledgements, random).order = 0),
  },
  answersGoForward: {
    'a gateway that goes back to an earlier epoch': (facts, random) => {
      const late = any(
        answered(facts).filter(({ epoch }) => epoch >= 3),
        random,
      );
      late.epoch -= 2;
    },
  },
  noFailedPrediction: {
    'a request that nobody answered': (facts, random) => void ((any(facts.asked, random) as Asked).answer = null),
  },
  oneRolloutAtATime: {
    'a rollout that begins before the last one ended': (facts, random) => {
      const [at, ended] = any(
        [...facts.rollouts.entries()].filter(
          ([index, { row }]) => row.state !== 'running' && index < facts.rollouts.length - 1,
        ),
        random,
      );
      facts.rollouts.splice(at, 1);
      facts.rollouts.splice(at + 1, 0, ended);
    },
  },
  leasesChangeHands: {
    'a lease that is taken while it is held': (facts, random) => {
      const released = facts.leases.slice(0, -1).filter(({ row }) => row.releasedAt !== null);
      facts.leases.splice(facts.leases.indexOf(any(released, random)), 1);
    },
    'a rollback that takes a lease too early': (facts) => {
      const [, before, next] = grouped(facts.leases, ({ row }) => row.holder).flatMap((group) => group.slice(0, 1));
      if (before && next) next.row.holder = 'rollback/production/drill/1 r9';
      facts.leases = facts.leases.filter(({ row }) => row.token !== 2 || row.releasedAt === null);
    },
    'a token that is handed out again': (facts, random) => {
      const token = 2 + random.below(2);
      for (const { row } of facts.leases) if (row.token === token) row.token = token - 1;
    },
  },
  onlyHoldersWrite: {
    'a route by a holder that lost its turn': (facts, random) =>
      void (any(facts.routes.slice(1), random).row.leaseToken -= 1),
    'a route after the lease was given back': (facts, random) => void (any(facts.routes, random).order = 10_000),
  },
  endsAreProven: {
    'an end before any gateway had acknowledged': (facts, random) => {
      const id = any(['r2', 'r3'], random);
      const last = facts.routes.findLast(({ row }) => row.idempotencyKey.startsWith(`${id}/`))?.row.epoch ?? 0;
      facts.acknowledgements = facts.acknowledgements.filter(({ row }) => row.epoch < last);
    },
    'an end before its version answered a probe': (facts, random) => {
      const id = any(['r2', 'r3'], random);
      facts.probes = facts.probes.filter(({ runId }) => runId !== id);
    },
    'a probe of the version that went': (facts, random) => void (any(facts.probes.slice(1), random).version = 9),
    'a probe that no gateway answered': (facts, random) => void (any(facts.probes.slice(1), random).answered = 0),
    'a rollout that completed with the champion in place': (facts) =>
      void (routeOf(facts, 'r2/step-1').row.split = [{ version: 1, sharePct: 100 }]),
    'a rollout that was aborted with the challenger in place': (facts) =>
      void (routeOf(facts, 'r3/back').row.split = [{ version: 3, sharePct: 100 }]),
    'a promotion that says otherwise than its rollout': (facts) => {
      for (const { row } of facts.promotions)
        if (row.id === 'p3' && row.state === 'rolled-back') row.state = 'promoted';
    },
  },
  historiesReplay: {
    'a history that the code no longer follows': (facts) =>
      void (facts.replays['rollout/production/drill r2'] = 'TMPRL1100 nondeterminism'),
  },
};

describe('the checks of the fault drills', () => {
  it('find nothing in an honest record', () => {
    expect(violations(honestFacts())).toEqual([]);
  });

  it('let a rollback take the lease of a rollout that has not given way for half a minute, and put the champion back itself', () => {
    const facts = honestFacts();
    const back = routeOf(facts, 'r3/back');
    const held = facts.leases.filter(({ row }) => row.token < 3 || row.releasedAt === null);
    const lease = {
      name: 'rollout/production/drill',
      holder: 'rollback/production/drill/1|r9',
      token: 4,
      releasedAt: null,
    };
    facts.leases = [
      ...held,
      { order: back.order - 0.5, change: 'UPDATE', row: { ...lease, acquiredAt: '2026-01-01T00:01:00Z' } },
    ];
    Object.assign(back.row, { idempotencyKey: 'r9/rollback', leaseToken: 4 });
    expect(violations(facts)).toEqual([]);
  });

  for (const [name, kinds] of Object.entries(breaks) as [CheckName, Record<string, Break>][]) {
    for (const [what, breakIt] of Object.entries(kinds)) {
      it(`${name} finds ${what}, wherever it happens`, () => {
        for (let seed = 1; seed <= 25; seed += 1) {
          const facts = honestFacts();
          breakIt(facts, seededRandom(seed));
          expect(checks[name](facts), `seed ${seed}`).not.toEqual([]);
        }
      });
    }
  }
});
