import { describe, expect, it } from 'vitest';
import { createDecisionSender } from '../../../../api/promotion/decision-sender.js';
import type { TemporalLink } from '../../../../api/temporal-connection.js';

const rollout = { id: 'r', environment: 'production' as const, model: 'm', stage: 0 };

/** A sender without a key, while decisions must be signed, and what it let through to Temporal. */
function keylessSender() {
  const reached: string[] = [];
  const temporal = {
    use: async () => {
      reached.push('temporal');
      return { accepted: true, reason: 'paused' };
    },
  } as unknown as TemporalLink;
  return { sender: createDecisionSender({ temporal, trust: 'signed', signer: null }), reached };
}

describe('an API that has no key while decisions must be signed', () => {
  it.each(['advance', 'resume'] as const)('says so when it is to sign %s, and sends nothing', async (command) => {
    const { sender, reached } = keylessSender();
    await expect(sender.steer(rollout, { command, actor: 'ada', reason: '' })).rejects.toMatchObject({
      code: 'environment/broken',
      message: expect.stringContaining('PERDURE_SIGNING_KEY_FILE'),
    });
    expect(reached).toEqual([]);
  });

  it.each(['pause', 'abort'] as const)('holds up no %s', async (command) => {
    const { sender, reached } = keylessSender();
    expect(await sender.steer(rollout, { command, actor: 'ada', reason: '' })).toMatchObject({ accepted: true });
    expect(reached).toEqual(['temporal']);
  });
});
