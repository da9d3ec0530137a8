import { z } from 'zod';
import type { RolloutReplayList } from '../../client/http/rollout-replay.js';
import { listRollouts, rolloutWithLooks } from '../../db/rollout/rollout-lists.js';
import type { RolloutRecord } from '../../db/rollout/rollout-queries.js';
import type { Database } from '../../db/connect.js';
import { digestOf } from '../../domain/canonical-json.js';
import { PerdureError } from '../../domain/errors.js';
import type { Environment } from '../../domain/names.js';
import type { JudgedPolicy, RolloutPolicy } from '../../domain/rollout/rollout-policy.js';
import { keptDays } from '../../domain/serving/retention.js';
import { replayRollout, type StoredLook } from '../../domain/rollout/rollout-replay.js';

/** Of a stored look's inputs, what every release writes: their digest says that nothing else was changed since. */
const storedLookSchema = z.custom<StoredLook>(
  (value) =>
    value !== null && typeof value === 'object' && 'stageIndex' in value && 'policy' in value && 'challenger' in value,
);

interface ReplayQuestion {
  model: string;
  environment?: Environment | undefined;
  /** Decides again; by default the policy that each rollout had. */
  policy?: RolloutPolicy | undefined;
  limit: number;
}

/**
 * Decides past rollouts again from the inputs of their looks, newest first.
 * @throws PerdureError `input/invalid` for a policy that judges nothing.
 */
export async function replayRollouts(db: Database, { policy, ...filter }: ReplayQuestion): Promise<RolloutReplayList> {
  if (policy?.strategy === 'direct')
    throw new PerdureError(
      'input/invalid',
      'policy.strategy: a direct rollout is not judged, so there is nothing to replay. Name another.',
    );
  const { items: rollouts } = await listRollouts(db, filter);
  return { rollouts: await Promise.all(rollouts.map((rollout) => replayed(db, rollout, policy ?? null))) };
}

async function replayed(
  db: Database,
  rollout: RolloutRecord,
  policy: JudgedPolicy | null,
): Promise<RolloutReplayList['rollouts'][number]> {
  const { id, environment, challenger, champion, state, settled, startedAt } = rollout;
  const about = { id, environment, challenger, champion, state, startedAt: startedAt.toISOString() };
  const nothing = (summary: string) => ({ ...about, looks: 0, differs: false, turnsAt: null, summary });
  if (!settled) return nothing('Its looks predate the inputs that a replay needs.');
  if (settled.policy.strategy === 'direct' || champion === null)
    return nothing('It was not judged: there is nothing to replay.');
  const { looks } = await rolloutWithLooks(db, id);
  if (looks.length === 0) return nothing('The judge never looked: there is nothing to replay.');
  const kept = looks.filter(({ inputs }) => inputs !== null);
  for (const { look, inputs, inputsSha256 } of kept)
    if (digestOf(inputs) !== inputsSha256)
      throw new PerdureError(
        'artifact/digest-mismatch',
        `The inputs of look ${look} of rollout ${id} are not those that were stored: they were changed in ` +
          'the database.',
      );
  const replay = replayRollout({
    looks: kept.map(({ inputs }) => storedLookSchema.parse(inputs)),
    settled: { policy: settled.policy, stages: settled.stages },
    policy,
    recorded: kept.map(({ result }) => result.verdict),
  });
  const turn = replay.turnsAt;
  const numbered = turn && {
    ...turn,
    look: kept[turn.look]?.look ?? turn.look,
    stage: settled.stages[turn.stageIndex]?.name ?? '',
  };
  const summary = `${replay.summary}${left(looks.length, kept.length)}`;
  return { ...about, looks: looks.length, differs: replay.differs, turnsAt: numbered, summary };
}

const left = (looks: number, kept: number): string =>
  looks === kept
    ? ''
    : ` Of ${looks} looks it was decided by ${kept}: what the others saw is kept for ${keptDays.lookInputs} days ` +
      `after a rollout.`;
