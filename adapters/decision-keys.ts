import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  sign,
  verify,
  type KeyObject,
} from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { PerdureError } from '../domain/errors.js';
import { compactSteering, signedSteeringText, type SignedSteering } from '../domain/rollout/steering-signature.js';
import { compactSignature, signedText, type SignedDecision } from '../domain/promotion/decision-signature.js';

/**
 * Ed25519 keys (RFC 8032) in PEM files, by which the control API signs decisions and workers verify them. A key's id is
 * made of the key: nothing names it by hand.
 */

/** Signs a decision; the answer travels in the decision's `signature`. */
export type SignDecision = (decision: SignedDecision) => string;

/** Signs what is said to a rollout. */
export type SignSteering = (said: SignedSteering) => string;

/** Whether a text was signed by a key; undefined for a key that is not known. */
export type VerifyDecision = (keyId: string, text: string, signature: string) => boolean | undefined;

const broken = (file: string, why: string) =>
  new PerdureError(
    'environment/broken',
    `The key file ${file} ${why}. docs/operations.md explains how to create keys.`,
  );

/** Reads the API's private key. @throws PerdureError `environment/broken`. */
export async function decisionSigner(
  file: string,
): Promise<{ keyId: string; sign: SignDecision; signSteering: SignSteering }> {
  const key = ed25519(file, await readKeyFile(file), createPrivateKey);
  const keyId = keyIdOf(createPublicKey(key));
  const signed = (text: string) => sign(null, Buffer.from(text), key).toString('base64url');
  return {
    keyId,
    signSteering: (said) => compactSteering(keyId, said, signed(signedSteeringText(said))),
    sign: (decision) => {
      const signature = signed(signedText(decision));
      return compactSignature({
        keyId,
        signature,
        at: decision.at,
        evidenceSha256: decision.evidenceSha256,
        promotionId: decision.promotionId,
      });
    },
  };
}

/**
 * Reads the public keys that workers believe: one PEM block after the other.
 * @throws PerdureError `environment/broken`.
 */
export async function decisionVerifier(file: string): Promise<VerifyDecision> {
  const blocks = (await readKeyFile(file)).match(/-----BEGIN [A-Z ]+-----[\s\S]*?-----END [A-Z ]+-----/g) ?? [];
  if (blocks.length === 0) throw broken(file, 'holds no key');
  if (blocks.some((block) => !block.startsWith('-----BEGIN PUBLIC KEY-----'))) {
    throw broken(file, 'contains something other than public keys: private keys belong to the control API only');
  }
  const keys = new Map(
    blocks.map((block) => {
      const key = ed25519(file, block, createPublicKey);
      return [keyIdOf(key), key];
    }),
  );
  return (keyId, text, signature) => {
    const key = keys.get(keyId);
    return key && verify(null, Buffer.from(text), key, Buffer.from(signature, 'base64url'));
  };
}

/** A new pair, as the text of two PEM files. */
export function newDecisionKeys(): { privatePem: string; publicPem: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  return {
    privatePem: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    publicPem: publicKey.export({ type: 'spki', format: 'pem' }).toString(),
  };
}

async function readKeyFile(file: string): Promise<string> {
  return readFile(file, 'utf8').catch(() => {
    throw broken(file, 'cannot be read');
  });
}

function ed25519(file: string, pem: string, read: (pem: string) => KeyObject): KeyObject {
  let key: KeyObject;
  try {
    key = read(pem);
  } catch {
    throw broken(file, 'is not a key in PEM');
  }
  if (key.asymmetricKeyType !== 'ed25519')
    throw broken(file, `holds a key of the kind ${key.asymmetricKeyType}: it must be Ed25519`);
  return key;
}

/** The first 16 hex digits of the SHA-256 of the public key. */
function keyIdOf(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex')
    .slice(0, 16);
}
