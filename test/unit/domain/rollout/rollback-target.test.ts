import { describe, expect, it } from 'vitest';
import { planRollback, rollbackTarget } from '../../../../domain/rollout/rollback-target.js';
import type { RouteWriter } from '../../../../domain/serving/route-writer.js';
import { writerOfKey } from '../../../../domain/serving/route-writer.js';
import type { Route, Split } from '../../../../domain/serving/route.js';
import { seededRandom } from '../../../../domain/statistics/random.js';
import { championHistory } from '../../../../domain/rollout/champion-history.js';

type Written = [split: Split, writer?: Pick<RouteWriter, 'kind' | 'rolloutId'>];

const whole = (version: number): Split => [{ version, sharePct: 100 }];
const canary = (champion: number, challenger: number, sharePct: number): Split => [
  { version: champion, sharePct: 100 - sharePct },
  { version: challenger, sharePct },
];
const stage = (version: number) => ({ kind: 'stage', rolloutId: `r${version}` }) as const;
const back = (version: number) => ({ kind: 'back', rolloutId: `r${version}` }) as const;
const rollback = { kind: 'rollback', rolloutId: null } as const;

const history = (...routes: Written[]): Route[] =>
  routes.map(([split, writer], index) => ({
    ...{
      storeId: 's',
      environment: 'production',
      model: 'm',
      epoch: index + 1,
      split,
      shadows: [],
      standby: [],
      overrides: [],
    },
    reason: `epoch ${index + 1}`,
    at: '2026-01-01T00:00:00.000Z',
    ...(writer && { writtenBy: { ...writer, actor: null, roles: null } }),
  }));
/** A rollout of each version, `rN`; completed unless it is named. */
const rollouts = (...notCompleted: string[]) =>
  [1, 2, 3, 4].flatMap((challenger) =>
    ['', 'b']
      .map((again) => `r${challenger}${again}`)
      .map((id) => ({ id, challenger, completed: !notCompleted.includes(id) })),
  );
const into = (version: number): Written => [whole(version), stage(version)];
const target = (routes: Route[], { to = null, unfinished = [] }: { to?: number | null; unfinished?: string[] } = {}) =>
  rollbackTarget(championHistory(routes, rollouts(...unfinished)), { model: 'm', to });
const plan = (routes: Route[], known: ReturnType<typeof rollouts>, asked: { undoes?: number | null; leaves: number }) =>
  planRollback(
    championHistory(
      routes.filter(({ epoch }) => epoch <= asked.leaves),
      known,
    ),
    championHistory(routes, known),
    { model: 'm', to: null, ...asked },
  );
const nothing = expect.objectContaining({
  code: 'not-found',
  message: expect.stringContaining('nothing to roll back to'),
});
const takenBack = expect.objectContaining({ code: 'state/conflict', message: expect.stringContaining('new approval') });

describe('the target of a rollback', () => {
  it('is the champion before the present one, the stages between left out', () => {
    expect(target(history(into(1), [canary(1, 2, 5), stage(2)], [canary(1, 2, 25), stage(2)], into(2)))).toBe(1);
    expect(target(history(into(1), into(2), [canary(2, 3, 5), stage(3)], into(3)))).toBe(2);
  });

  it('is the champion of the rollout that is under way, in whatever stage that is', () => {
    const undoing = (routes: Route[]) => plan(routes, rollouts('r3'), { undoes: 2, leaves: routes.length }).version;
    expect(undoing(history(into(1), into(2)))).toBe(2);
    expect(undoing(history(into(1), into(2), [canary(2, 3, 5), stage(3)]))).toBe(2);
    expect(undoing(history(into(1), into(2), [whole(3), stage(3)]))).toBe(2);
  });

  it('is the champion where a split, or a challenger with everything, was left behind by a rollout that did not complete', () => {
    expect(target(history(into(1), [canary(1, 2, 75), stage(2)]), { unfinished: ['r2'] })).toBe(1);
    expect(target(history(into(1), [whole(2), stage(2)]), { unfinished: ['r2'] })).toBe(1);
  });

  it('is the version asked for, where it was approved and served whole', () => {
    expect(target(history(into(1), into(2), into(3)), { to: 1 })).toBe(1);
    expect(target(history(into(1), into(2), into(3), [whole(1), rollback]), { to: 2 })).toBe(2);
    expect(() => target([], { to: 2 })).toThrow('Versions that were: none');
  });

  it('never is a challenger that had everything in a rollout that was aborted or went back', () => {
    const aborted = history(into(1), [canary(1, 2, 5), stage(2)], [whole(2), stage(2)], [whole(1), back(2)]);
    expect(() => target(aborted, { to: 2, unfinished: ['r2'] })).toThrow(
      expect.objectContaining({ code: 'not-found', message: expect.stringContaining('Versions that were: 1') }),
    );
    expect(() => target(aborted, { unfinished: ['r2'] })).toThrow(nothing);
  });

  it('never is a version that was taken back: a second rollback goes one step further back, and naming it needs a new approval', () => {
    const once = history(into(1), into(2), into(3), [whole(2), rollback]);
    expect(target(once)).toBe(1);
    expect(() => target(once, { to: 3 })).toThrow(takenBack);
    expect(target(history(into(1), into(2), [whole(1), rollback], into(3)))).toBe(1);
  });

  it('is no version that was tried again and taken back since it served', () => {
    const tried = history(
      into(1),
      into(2),
      into(3),
      [canary(3, 2, 5), { kind: 'stage', rolloutId: 'r2b' }],
      [whole(3), { kind: 'back', rolloutId: 'r2b' }],
    );
    expect(target(tried, { unfinished: ['r2b'] })).toBe(1);
    expect(() => target(tried, { to: 2, unfinished: ['r2b'] })).toThrow(takenBack);
  });

  it('is again a version that was approved and rolled out again', () => {
    const again = history(
      into(1),
      into(2),
      [whole(1), rollback],
      [whole(2), { kind: 'stage', rolloutId: 'r2b' }],
      into(3),
    );
    expect(target(again)).toBe(2);
    expect(target(history(into(1), into(2), into(3), [whole(2), { kind: 'stage', rolloutId: 'r2b' }]))).toBe(3);
  });

  it('is none where no other version was champion before, a first rollout under way included', () => {
    for (const routes of [history(), history(into(1)), history(into(1), into(2), [whole(1), rollback])])
      expect(() => target(routes)).toThrow(nothing);
    expect(() => plan(history(into(1)), rollouts('r1'), { undoes: null, leaves: 1 })).toThrow(nothing);
  });

  it('is none after the end of a service, which is said, and nothing from before it once a version serves again', () => {
    const ended = history(into(1), into(2), [whole(2)], into(3), into(4)).map((route) =>
      route.epoch === 3 ? { ...route, ended: { by: 'ada@local', reason: 'replaced' } } : route,
    );
    const over = expect.objectContaining({
      code: 'rollout/refused',
      message: expect.stringContaining('was ended there by ada@local (replaced)'),
    });
    for (const to of [null, 1]) expect(() => target(ended.slice(0, 3), { to })).toThrow(over);
    expect(target(ended)).toBe(3);
    expect(() => target(ended.slice(0, 4))).toThrow(nothing);
    expect(() => target(ended, { to: 2 })).toThrow('Versions that were: 3, 4');
  });

  it('is read from routes that no workflow wrote as they stand', () => {
    expect(target(history([whole(1)], [canary(1, 2, 5)], [whole(2)]))).toBe(1);
    expect(target(history([whole(1)], [whole(2)], [whole(3)], [whole(2)]))).toBe(1);
  });
});

describe('a rollback that leaves an epoch', () => {
  const routes = history(into(1), into(2), into(3), [whole(2), rollback]);
  const leaving = (leaves: number, more: Written[] = []) =>
    plan([...routes, ...history(...routes.map((): Written => [whole(1)]), ...more).slice(routes.length)], rollouts(), {
      leaves,
    });

  it('that another rollback has left already finds what was restored', () => {
    expect(leaving(3)).toEqual({ version: 2, alreadySince: 4 });
  });

  it('of long ago does not bring in again what was taken back since', () => {
    expect(() => leaving(3, [[whole(1), rollback]])).toThrow(takenBack);
  });
});

describe('what wrote a route', () => {
  it('is read from the key of rows that do not say it', () => {
    expect(writerOfKey('run/1/step-12')).toMatchObject({ kind: 'stage', rolloutId: 'run/1' });
    expect(writerOfKey('run/back')).toMatchObject({ kind: 'back', rolloutId: 'run' });
    expect(writerOfKey('run/rollback')).toMatchObject({ kind: 'rollback', rolloutId: null });
    for (const key of ['run', '/back', 'run/step-', 'run/before']) expect(writerOfKey(key)).toBeUndefined();
  });
});

describe('the record of who served', () => {
  it('says when and why a version was taken back, a shadow or standby that never took traffic included', () => {
    const shadowed = history(into(1), [whole(1), stage(2)], [whole(1), back(2)]);
    expect(championHistory(shadowed, rollouts('r2')).setBack.get(2)).toEqual({
      epoch: 3,
      at: '2026-01-01T00:00:00.000Z',
      reason: 'epoch 3',
    });
    expect(championHistory(shadowed, rollouts('r2')).line).toEqual([1]);
  });

  it('is the same whether its routes are read at once or in parts', () => {
    const random = seededRandom(7);
    const any = <T>(list: readonly T[]) => list[random.below(list.length)] as T;
    const versions = [1, 2, 3, 4] as const;
    const written = (): Written => {
      const version = any(versions);
      return any<Written>([
        into(version),
        [canary(any([1, 2].filter((one) => one !== version)), version, 5), stage(version)],
        [whole(any(versions)), back(version)],
        [whole(version), rollback],
        [whole(version)],
      ]);
    };
    for (let round = 0; round < 300; round += 1) {
      const routes = history(...Array.from({ length: 12 }, written)).map((route) =>
        random.below(100) < 8 ? { ...route, ended: { by: 'ada', reason: 'over' } } : route,
      );
      const known = rollouts(...versions.flatMap((version) => (random.below(100) < 40 ? [`r${version}`] : [])));
      const cut = random.below(13);
      const earlier = championHistory(routes.slice(0, cut), known);
      expect(championHistory(routes.slice(cut), known, earlier)).toEqual(championHistory(routes, known));
    }
  });
});
