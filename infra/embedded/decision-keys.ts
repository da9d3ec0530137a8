import { existsSync, readFileSync } from 'node:fs';
import { createPublicKey } from 'node:crypto';
import path from 'node:path';
import { newDecisionKeys } from '../../adapters/decision-keys.js';
import { PerdureError } from '../../domain/errors.js';
import type { PerdureConfig } from '../../perdure.config.js';
import { writeStateFile } from './state-file.js';

export interface DecisionKeyFiles {
  /** For the control API alone. */
  signing: string;
  /** For workers. */
  verifying: string;
}

/** Where the keys for decisions lie: the user's own where variables name them, else the stack's. */
export function decisionKeyFiles({
  home,
  decisions: { signingKeyFile, verifyingKeysFile },
}: PerdureConfig): DecisionKeyFiles {
  if ((signingKeyFile === undefined) !== (verifyingKeysFile === undefined)) {
    throw new PerdureError(
      'environment/broken',
      'PERDURE_SIGNING_KEY_FILE and PERDURE_VERIFYING_KEYS_FILE go together: set both, or neither for ' +
        'keys that the stack creates.',
    );
  }
  return {
    signing: signingKeyFile ?? path.join(home, 'decision-signing-key.pem'),
    verifying: verifyingKeysFile ?? path.join(home, 'decision-verifying-keys.pem'),
  };
}

/**
 * Makes the stack's pair at the first start, the private key readable by its owner only. A private key whose public
 * half was lost gives it again.
 */
export function loadDecisionKeys(config: PerdureConfig): DecisionKeyFiles {
  const files = decisionKeyFiles(config);
  if (config.decisions.signingKeyFile !== undefined) return files;
  if (!existsSync(files.signing)) writeStateFile(files.signing, newDecisionKeys().privatePem, 0o600);
  if (!existsSync(files.verifying)) writeStateFile(files.verifying, publicHalf(files.signing), 0o644);
  return files;
}

function publicHalf(file: string): string {
  try {
    return createPublicKey(readFileSync(file)).export({ type: 'spki', format: 'pem' }).toString();
  } catch {
    throw new PerdureError(
      'environment/broken',
      `${file} is not readable as a private key. Remove it: the next start makes a new pair.`,
    );
  }
}
