import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { decisionSigner, decisionVerifier, newDecisionKeys } from '../../../../adapters/decision-keys.js';
import {
  parseCompactSignature,
  proofOf,
  signatureAgeMaxMs,
  signedText,
} from '../../../../domain/promotion/decision-signature.js';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'perdure-keys-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

async function file(name: string, text: string): Promise<string> {
  const written = path.join(folder, name);
  await writeFile(written, text);
  return written;
}

async function pair(name: string) {
  const { privatePem, publicPem } = newDecisionKeys();
  return { ...(await decisionSigner(await file(`${name}.pem`, privatePem))), publicPem };
}

const said = {
  promotionId: '0198c1d2-7c7e-7d7a-9d3e-000000000001',
  actor: 'ann',
  decision: 'approve',
  comment: 'slices look right — “süß”',
  evidenceSha256: 'e'.repeat(64),
  at: '2026-01-01T12:00:00.000Z',
};
const soon = Date.parse(said.at) + 1000;

describe('a signed decision', () => {
  it('holds for the words, the promotion and the evidence that it was signed for', async () => {
    const key = await pair('holds');
    const verify = await decisionVerifier(await file('holds-keys.pem', key.publicPem));
    expect(proofOf({ ...said, signature: key.sign(said), nowMs: soon, verify })).toEqual({
      kind: 'signed',
      keyId: key.keyId,
    });
    expect(proofOf({ ...said, signature: undefined, nowMs: soon, verify })).toEqual({ kind: 'unsigned' });
  });

  it.each([
    ['another actor', { actor: 'eve' }, 'does not match'],
    ['the opposite decision', { decision: 'reject' }, 'does not match'],
    ['another comment', { comment: 'fine' }, 'does not match'],
    ['another promotion', { promotionId: '0198c1d2-7c7e-7d7a-9d3e-000000000002' }, 'made for another promotion'],
    ['other evidence', { evidenceSha256: 'f'.repeat(64) }, 'made for other evidence'],
    ['a decision of long ago', { nowMs: soon + signatureAgeMaxMs }, 'hours ago'],
    ['a decision of tomorrow', { nowMs: soon - signatureAgeMaxMs }, 'in the future'],
  ])('does not hold for %s, and says so', async (_, change, reason) => {
    const key = await pair('refused');
    const verify = await decisionVerifier(await file('refused-keys.pem', key.publicPem));
    const proof = proofOf({ ...said, signature: key.sign(said), nowMs: soon, verify, ...change });
    expect(proof).toMatchObject({ kind: 'refused', reason: expect.stringContaining(reason) });
  });

  it('does not hold when its own parts are exchanged for those of another promotion', async () => {
    const key = await pair('moved');
    const verify = await decisionVerifier(await file('moved-keys.pem', key.publicPem));
    const other = '0198c1d2-7c7e-7d7a-9d3e-000000000002';
    const moved = key.sign(said).replace(said.promotionId, other);
    expect(proofOf({ ...said, promotionId: other, signature: moved, nowMs: soon, verify })).toMatchObject({
      kind: 'refused',
    });
  });

  it('holds while old and new keys are both believed, and names the key once it is not', async () => {
    const [old, fresh] = [await pair('old'), await pair('fresh')];
    const both = await decisionVerifier(await file('both.pem', `${old.publicPem}${fresh.publicPem}`));
    for (const key of [old, fresh]) {
      expect(proofOf({ ...said, signature: key.sign(said), nowMs: soon, verify: both })).toMatchObject({
        kind: 'signed',
        keyId: key.keyId,
      });
    }
    const one = await decisionVerifier(await file('one.pem', fresh.publicPem));
    expect(proofOf({ ...said, signature: old.sign(said), nowMs: soon, verify: one })).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining(old.keyId),
    });
  });

  it('is refused, not an error, when it is garbage', () => {
    for (const signature of ['', 'v1', 'x'.repeat(4000), 'v1.0.1.2.3.4']) {
      expect(proofOf({ ...said, signature, nowMs: soon, verify: () => true })).toMatchObject({
        reason: 'its signature cannot be read',
      });
    }
  });
});

describe('what is signed', () => {
  it('is canonical JSON, so that anybody can check it with the public key', () => {
    expect(signedText({ ...said, comment: '' })).toBe(
      `{"actor":"ann","at":"2026-01-01T12:00:00.000Z","comment":"","decision":"approve"` +
        `,"evidenceSha256":"${'e'.repeat(64)}","promotionId":"${said.promotionId}"}`,
    );
  });

  it('travels with key, time, evidence and promotion in plain sight', async () => {
    const key = await pair('plain');
    const { signature: _, ...plain } = parseCompactSignature(key.sign(said)) ?? { signature: '' };
    expect(plain).toEqual({
      keyId: key.keyId,
      at: said.at,
      evidenceSha256: said.evidenceSha256,
      promotionId: said.promotionId,
    });
  });
});

describe('key files', () => {
  it('that cannot serve are refused with their path', async () => {
    const { privatePem } = newDecisionKeys();
    await expect(decisionVerifier(path.join(folder, 'nowhere.pem'))).rejects.toMatchObject({
      code: 'environment/broken',
      message: /nowhere.pem/,
    });
    await expect(decisionVerifier(await file('empty.pem', ''))).rejects.toThrow('holds no key');
    await expect(decisionVerifier(await file('private.pem', privatePem))).rejects.toThrow(
      'belong to the control API only',
    );
    await expect(decisionSigner(await file('text.pem', 'hello'))).rejects.toThrow('is not a key in PEM');
  });
});
