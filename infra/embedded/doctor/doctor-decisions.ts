import { existsSync, statSync } from 'node:fs';
import { decisionSigner, decisionVerifier } from '../../../adapters/decision-keys.js';
import { trustText } from '../../../domain/decision-trust.js';
import { messageOf } from '../../../domain/errors.js';
import type { PerdureConfig } from '../../../perdure.config.js';
import { decisionKeyFiles, type DecisionKeyFiles } from '../decision-keys.js';
import { note, ok, problem, type Check } from '../../../oversight/check.js';

/** Whose word is taken for who decided, and whether the keys for signed decisions fit each other. */
export async function decisionChecks(config: PerdureConfig): Promise<Check[]> {
  const { trust } = config.decisions;
  const said =
    trust === 'signed'
      ? ok('decision trust', trustText(trust))
      : note(
          'decision trust',
          trustText(trust),
          'Fine on one machine. Where others can reach Temporal, set PERDURE_DECISION_TRUST=signed for ' +
            'API and workers.',
        );
  return [said, await keysCheck(config)];
}

async function keysCheck(config: PerdureConfig): Promise<Check> {
  try {
    const files = decisionKeyFiles(config);
    if (config.decisions.signingKeyFile === undefined && !existsSync(files.signing)) {
      return ok('decision keys', 'not created yet; the first start creates them');
    }
    return await pairCheck(files);
  } catch (error) {
    return problem('decision keys', messageOf(error), 'docs/operations.md explains how to create and rotate keys.');
  }
}

async function pairCheck({ signing, verifying }: DecisionKeyFiles): Promise<Check> {
  const [signer, verify] = await Promise.all([decisionSigner(signing), decisionVerifier(verifying)]);
  if (verify(signer.keyId, '', '') === undefined) {
    return problem(
      'decision keys',
      `${verifying} does not hold the public half of ${signing} (key ${signer.keyId})`,
      'Append it: workers refuse what they cannot verify.',
    );
  }
  return (statSync(signing).mode & 0o077) === 0
    ? ok('decision keys', `key ${signer.keyId} signs`)
    : problem('decision keys', `${signing} can be read by others`, `chmod 600 ${signing}`);
}
