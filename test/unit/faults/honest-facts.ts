import { promotionPolicySchema } from '../../../domain/promotion/promotion-policy.js';
import type { Split } from '../../../domain/serving/route.js';
import type { Facts, LeaseRow, RolloutRow, RouteRow, Written } from '../../faults/facts.js';

/**
 * What an honest drill leaves: version 1 goes in, version 2 by a canary of 20 and 100 percent, version 3 by a canary
 * that goes back.
 */
export function honestFacts(): Facts {
  let order = 0;
  const written = <Row>(row: Row, change: Written<Row>['change'] = 'INSERT'): Written<Row> => ({
    order: (order += 1),
    change,
    row,
  });
  const at = { environment: 'production', model: 'drill' };
  const facts: Facts = {
    ...{
      routes: [],
      leases: [],
      acknowledgements: [],
      rollouts: [],
      promotions: [],
      decisions: [],
      told: [],
      asked: [],
      probes: [],
    },
    replays: { 'rollout/production/drill r2': null },
  };
  const lease = (row: Omit<LeaseRow, 'name' | 'acquiredAt'>) =>
    facts.leases.push(
      written(
        { name: 'rollout/production/drill', acquiredAt: `2026-01-01T00:00:0${row.token}Z`, ...row },
        row.token === 1 ? 'INSERT' : 'UPDATE',
      ),
    );
  const route = (epoch: number, idempotencyKey: string, leaseToken: number, split: Split) => {
    const row: RouteRow = { ...at, epoch, idempotencyKey, leaseToken, split, shadows: [], standby: [], overrides: [] };
    facts.routes.push(written(row));
    for (const gatewayId of ['g1', 'g2'])
      facts.acknowledgements.push(
        written({ ...at, gatewayId, storeId: 's', epoch, error: null }, epoch === 1 ? 'INSERT' : 'UPDATE'),
      );
  };
  const stage = (challengerPct: number) => ({ challengerPct, shadowPct: 0, standby: 'none' as const });
  const rollout = (version: number, state: string, stages: RolloutRow['stages']) => {
    const row: RolloutRow = {
      ...at,
      id: `r${version}`,
      champion: version === 1 ? null : version === 2 ? 1 : 2,
      challenger: version,
      promotionId: `p${version}`,
      state,
      stages,
    };
    facts.rollouts.push(written(row, state === 'running' ? 'INSERT' : 'UPDATE'));
  };
  const promotion = (version: number, state: string) => {
    const policy = promotionPolicySchema.parse({ approvals: { count: 2 } });
    const evidence = { policy, champion: version === 1 ? null : version === 2 ? 1 : 2 };
    const row = { ...at, id: `p${version}`, version, state, evidenceSha256: `e${version}`, evidence };
    facts.promotions.push(written(row, 'UPDATE'));
  };
  const approvals = (version: number) => {
    for (const [sequence, actor] of ['ann', 'bob'].entries()) {
      const row = {
        promotionId: `p${version}`,
        sequence,
        actor,
        via: 'update',
        evidenceSha256: `e${version}`,
        counted: true,
      };
      facts.decisions.push(written({ ...row, decision: 'approve' as const, roles: ['approver'] }));
      facts.told.push({ promotionId: `p${version}`, actor });
    }
  };

  const whole = (version: number): Split => [{ version, sharePct: 100 }];
  const split = (champion: number, challenger: number): Split => [
    { version: champion, sharePct: 80 },
    { version: challenger, sharePct: 20 },
  ];
  const play = (version: number, stages: RolloutRow['stages'], end: string, routes: () => void) => {
    promotion(version, 'waiting-for-approval');
    if (version > 1) approvals(version);
    promotion(version, 'rolling-out');
    lease({ holder: `h${version}`, token: version, releasedAt: null });
    rollout(version, 'running', stages);
    routes();
    facts.probes.push({
      runId: `r${version}`,
      version: end === 'completed' ? version : version - 1,
      answered: 2,
      replacedBy: null,
    });
    rollout(version, end, stages);
    lease({ holder: `h${version}`, token: version, releasedAt: 'now' });
    promotion(version, end === 'completed' ? 'promoted' : 'rolled-back');
  };
  play(1, [stage(100)], 'completed', () => route(1, 'r1/step-0', 1, whole(1)));
  play(2, [stage(20), stage(100)], 'completed', () => {
    route(2, 'r2/step-0', 2, split(1, 2));
    route(3, 'r2/step-1', 2, whole(2));
  });
  play(3, [stage(20), stage(100)], 'aborted', () => {
    route(4, 'r3/step-0', 3, split(2, 3));
    route(5, 'r3/back', 3, whole(2));
  });

  const answer = (id: number, epoch: number, version: number) =>
    facts.asked.push({
      id: `a${id}`,
      answer: { gateway: id % 2 === 0 ? 'g1' : 'g2', version, epoch, sentAt: id * 10, answeredAt: id * 10 + 15 },
    });
  for (let id = 0; id < 500; id += 1) {
    const epoch = 1 + Math.floor(id / 100);
    const { split: given } = facts.routes[epoch - 1]?.row ?? { split: whole(1) };
    answer(id, epoch, (id % 5 === 0 ? given.at(-1) : given[0])?.version ?? 0);
  }
  return facts;
}
