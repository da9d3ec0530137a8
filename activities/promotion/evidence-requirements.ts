import type { Contract } from '../../domain/data/contract.js';
import { PerdureError } from '../../domain/errors.js';
import type { Evaluation } from '../../domain/evaluation/evaluation.js';
import type { EvaluationPolicy } from '../../domain/evaluation/evaluation-policy.js';
import { ruleOnContract } from '../../domain/promotion/contract-consent.js';
import { decideGates } from '../../domain/evaluation/gate.js';
import type { ModelDefinition } from '../../domain/model/model-definition.js';
import type { Environment } from '../../domain/names.js';
import type { TaskName } from '../../domain/tasks/task.js';
import type { Evidence } from '../../domain/promotion/promotion.js';
import type { Rules } from '../../domain/promotion/rules-in-force.js';
import { contractOutlook } from '../../db/promotion/contract-facts.js';
import type { VersionRecord } from '../../db/model/version-queries.js';
import type { ActivityDependencies } from '../dependencies.js';
import { environmentFloor } from './environment-floor.js';
import { evidenceFacts } from './evidence-facts.js';

export interface Place {
  promotionId: string;
  model: string;
  version: number;
  environment: Environment;
}

/** What must hold before anybody is asked to decide on a promotion. */
export function evidenceRequirements(deps: Pick<ActivityDependencies, 'db' | 'store' | 'config'>) {
  const { db } = deps;
  const facts = evidenceFacts(deps);
  const floors = environmentFloor(deps);
  return { askCallers, mustBeAboveFloor, mustBeTheSameBytes, passedGates };

  /**
   * What callers of the environment would find, and whether the policy lets it happen.
   * @throws PerdureError `promotion/refused`.
   */
  async function askCallers({ environment, model, version }: Place, contract: Contract, rules: Rules) {
    const found = await contractOutlook(db, { environment, model, contract, except: version });
    const { refused, notBefore } = ruleOnContract(
      found,
      rules.promotion.breakingContract,
      rules.rollout.strategy,
      new Date(),
    );
    if (refused === null) return { contract: found, notBefore };
    throw new PerdureError('promotion/refused', `${model}@${version} is not admitted to ${environment}: ${refused}`);
  }

  /** @throws PerdureError `promotion/refused` where the environment asks for more than the definition does. */
  async function mustBeAboveFloor(
    { environment, model, version }: Place,
    { runId, snapshotSha256 }: VersionRecord,
    definition: ModelDefinition,
  ): Promise<void> {
    const refused = await floors.whyRefused({ environment, definition, runId, snapshotSha256 });
    if (refused === null) return;
    throw new PerdureError('promotion/refused', `${model}@${version} is not promoted: ${refused}.`, { model, version });
  }

  /**
   * What was approved is what is served, in every environment: no promotion goes on with other bytes.
   * @throws PerdureError `artifact/digest-mismatch`.
   */
  async function mustBeTheSameBytes(
    { model, version, artifactSha256 }: VersionRecord,
    before: Evidence['before'],
  ): Promise<void> {
    const stored = await facts.artifactDigest(artifactSha256);
    const [found, where] =
      stored === artifactSha256 ? [before?.artifactSha256, before?.environment] : [stored, 'the store'];
    if (found === undefined || found === artifactSha256) return;
    throw new PerdureError(
      'artifact/digest-mismatch',
      `The artifact of ${model}@${version} is registered as ${artifactSha256}, but ${where} has ${found}: ` +
        'restore the registered bytes.',
      { model, version },
    );
  }
}

/**
 * The gates in force, asked of the evaluation that is shown.
 * @throws PerdureError `promotion/refused` where one does not pass.
 */
function passedGates(
  { model, version }: VersionRecord,
  asked: { task?: TaskName | undefined; evaluation: EvaluationPolicy },
  evaluation: Evaluation,
): Evidence['gates'] {
  const { results } = decideGates(asked, evaluation);
  const open = results.filter((result) => result.outcome !== 'pass');
  if (open.length === 0) return results.map(({ name, outcome }) => ({ name, outcome }));
  const why = open.map((result) => `${result.name}: ${result.outcome}. ${result.reason}`).join(' ');
  throw new PerdureError(
    'promotion/refused',
    `${model}@${version} does not pass the gates in force: ${why} Train a version that does, or change ` +
      'evaluation.gates and apply.',
    { model, version },
  );
}
