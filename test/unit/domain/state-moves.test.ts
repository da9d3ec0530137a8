import { describe, expect, it } from 'vitest';
import { promotionMoves } from '../../../domain/promotion/promotion-moves.js';
import { rolloutMoves } from '../../../domain/rollout/rollout-moves.js';
import { partitionMoves } from '../../../domain/data/partition-moves.js';
import { isEnd, openStates, writeOrderOf } from '../../../domain/state-moves.js';

describe('the states of a thing', () => {
  it('have ends that nothing follows, and those that are open', () => {
    expect(openStates(promotionMoves)).toEqual(['gathering-evidence', 'waiting-for-approval', 'rolling-out']);
    expect(openStates(rolloutMoves)).toEqual(['running', 'paused']);
    expect(openStates(partitionMoves)).toEqual(['quarantined']);
    expect(isEnd(promotionMoves, 'promoted')).toBe(true);
    expect(isEnd(rolloutMoves, 'paused')).toBe(false);
  });

  it.each([
    ['promotion', promotionMoves],
    ['rollout', rolloutMoves],
  ])('of a %s all lead to an end', (_, moves: Readonly<Record<string, readonly string[]>>) => {
    for (const state of openStates(moves))
      expect(Object.entries(moves).some(([next, before]) => isEnd(moves, next) && before.includes(state))).toBe(true);
  });
});

describe('a write order', () => {
  it('rises with what is scheduled later, and with each attempt of the same, however many there are', () => {
    const turns = [
      writeOrderOf({ scheduledTimestampMs: 1_800_000_000_000, attempt: 1 }),
      writeOrderOf({ scheduledTimestampMs: 1_800_000_000_000, attempt: 2 }),
      writeOrderOf({ scheduledTimestampMs: 1_800_000_000_000, attempt: 50_000 }),
      writeOrderOf({ scheduledTimestampMs: 1_800_000_000_001, attempt: 1 }),
    ];
    expect(turns).toEqual([...turns].sort((a, b) => a - b));
    expect(new Set(turns).size).toBe(turns.length);
    expect(turns.every(Number.isSafeInteger)).toBe(true);
  });
});
