import path from 'node:path';
import { makeWorkFolder, removeWorkFolder } from '../../adapters/work-folder.js';
import { digestOf } from '../../domain/canonical-json.js';
import { PerdureError } from '../../domain/errors.js';
import type { Environment } from '../../domain/names.js';
import { objectKeys } from '../../domain/object-keys.js';
import type { Evidence } from '../../domain/promotion/promotion.js';
import { championOf } from '../../domain/serving/route.js';
import { whyOtherRules, whyOtherSetBack } from '../../domain/promotion/rules-in-force.js';
import { versionContractOutlook } from '../../db/promotion/contract-facts.js';
import { rulesInForce, storedDefinitionDigest } from '../../db/model/definition-queries.js';
import { promotionInto, type PromotionRecord } from '../../db/promotion/promotion-queries.js';
import { routeOf } from '../../db/serving/route-queries.js';
import { versionOf } from '../../db/model/version-queries.js';
import { setBackOf } from '../../db/rollout/champion-history.js';
import { floorDigest } from '../../domain/promotion/floor.js';
import { environmentFloor, readFloor } from './environment-floor.js';
import type { ActivityDependencies } from '../dependencies.js';

/**
 * What evidence states about the outside, as it is now: read once to write the evidence, and again just before the
 * effect.
 */
export function evidenceFacts({ db, store, config }: Pick<ActivityDependencies, 'db' | 'store' | 'config'>) {
  return { artifactDigest, cardDigest, before, whyStale };

  /** SHA-256 of the artifact's bytes in the store, as they are now. @throws PerdureError `not-found`. */
  async function artifactDigest(artifactSha256: string): Promise<string> {
    const folder = await makeWorkFolder(config.home, 'artifact');
    try {
      return (await store.getToFile(objectKeys.artifact(artifactSha256), path.join(folder, 'model.onnx'))).sha256;
    } finally {
      await removeWorkFolder(folder);
    }
  }

  /** SHA-256 of the model card's canonical JSON. @throws PerdureError `not-found`. */
  function cardDigest(model: string, version: number): Promise<string> {
    return jsonDigest(objectKeys.modelCard(model, version, 'json'));
  }

  async function jsonDigest(key: string): Promise<string> {
    return digestOf(JSON.parse(new TextDecoder().decode(await store.get(key))));
  }

  /**
   * The promotion by which the environment before this one got the version; null in the first environment of the
   * policy.
   */
  async function before(
    environments: readonly Environment[],
    { model, version, environment }: { model: string; version: number; environment: Environment },
  ): Promise<NonNullable<Evidence['before']> | null> {
    const earlier = environments[environments.indexOf(environment) - 1];
    if (earlier === undefined) return null;
    const promotion = await promotionInto(db, { model, version, environment: earlier });
    if (!promotion?.evidence) return null;
    return { environment: earlier, promotionId: promotion.id, artifactSha256: promotion.evidence.artifactSha256 };
  }

  /**
   * Why the evidence that was shown is no longer true, in words; null while it is. Everything that is cheap to ask is
   * asked again.
   */
  async function whyStale({
    evidence,
    evidenceSha256,
    environment,
    model,
    version,
  }: PromotionRecord): Promise<string | null> {
    if (!evidence) return 'no evidence was shown';
    if (digestOf(evidence) !== evidenceSha256) return 'the stored evidence is not what its SHA-256 says';
    const rules = (await rulesInForce(db, model)).definition;
    const otherRules = whyOtherRules(evidence, rules);
    if (otherRules !== null) return otherRules;
    if (evidence.floorSha256 !== floorDigest(await readFloor(config, environment)))
      return `the floor of ${environment} has changed since the evidence was shown`;
    const { runId, snapshotSha256 } = await versionOf(db, model, version);
    const refused = await environmentFloor({ db, store, config }).whyRefused({
      environment,
      definition: rules,
      runId,
      snapshotSha256,
    });
    if (refused !== null) return refused;
    const otherPast = whyOtherSetBack(evidence, await setBackOf(db, { environment, model, version }));
    if (otherPast !== null) return otherPast;
    if (evidence.cardSha256 === undefined) return 'it was gathered by version 0.1.0 and lacks the model card';
    const route = await routeOf(db, environment, model);
    const champion = route ? championOf(route.split) : null;
    if (champion !== evidence.champion)
      return (
        `the champion is now ${champion ?? 'none'}, it was ${evidence.champion ?? 'none'} when the ` +
        'evidence was shown'
      );
    const callers = (await versionContractOutlook(db, { environment, model, version })).verdict;
    const shown = evidence.contract?.verdict;
    if (shown === undefined ? callers === 'breaking' : callers !== shown)
      return `for callers of ${environment} its contract is now ${callers}; ${shown ?? 'nothing'} was shown`;
    const earlier = await before(evidence.policy.environments, { model, version, environment });
    if (earlier && earlier.artifactSha256 !== evidence.artifactSha256)
      return `${earlier.environment} got other bytes of this version (${earlier.artifactSha256})`;
    const { artifactSha256, evaluationSha256, definitionSha256, cardSha256 } = evidence;
    const digests: [string, string, () => Promise<string>][] = [
      ['definition', definitionSha256, () => storedDefinitionDigest(db, definitionSha256)],
      ['model card', cardSha256, () => cardDigest(model, version)],
      ['evaluation', evaluationSha256, () => jsonDigest(evidence.evaluationKey)],
      ['artifact', artifactSha256, () => artifactDigest(artifactSha256)],
    ];
    for (const [name, shown, read] of digests) {
      const now = await read().catch(missing);
      if (now !== shown) return `the ${name} ${now === null ? 'is gone' : `is now ${now}, it was ${shown}`}`;
    }
    return null;
  }
}

function missing(error: unknown): null {
  if (error instanceof PerdureError && error.code === 'not-found') return null;
  throw error;
}
