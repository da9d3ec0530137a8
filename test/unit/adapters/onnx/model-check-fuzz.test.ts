import { expect, test } from 'vitest';
import { checkModel } from '../../../../adapters/onnx/model-check.js';
import { PerdureError } from '../../../../domain/errors.js';
import { logisticGraph, model } from '../../../integration/onnx/onnx-builder.js';

/** Mulberry32: small, seeded, good enough to mangle bytes. */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 0x1_0000_0000) * below);
  };
}

function mangled(sound: Uint8Array, random: (below: number) => number): Uint8Array {
  const bytes = [...sound];
  for (let change = random(4) + 1; change > 0; change -= 1) {
    const at = random(bytes.length);
    const length = random(12) + 1;
    switch (random(5)) {
      case 0:
        bytes[at] = random(256);
        break;
      case 1:
        bytes[at] = (bytes[at] ?? 0) ^ (1 << random(8));
        break;
      case 2:
        bytes.splice(at, length);
        break;
      case 3:
        bytes.splice(at, 0, ...bytes.slice(random(bytes.length)).slice(0, length * 8));
        break;
      default:
        bytes.splice(at, 0, ...Array.from({ length }, () => (random(2) === 0 ? 0xff : random(256))));
    }
  }
  return Uint8Array.from(bytes);
}

test('a mangled model is accepted or refused with a reason, never anything else', () => {
  const sound = model(logisticGraph());
  const random = randomOf(20_260_301);
  const outcomes = { accepted: 0, refused: 0 };
  for (let round = 0; round < 4_000; round += 1) {
    const bytes = mangled(sound, random);
    try {
      checkModel(bytes);
      outcomes.accepted += 1;
    } catch (error) {
      if (!(error instanceof PerdureError) || error.code !== 'artifact/refused') {
        throw new Error(`round ${round}: ${Buffer.from(bytes).toString('base64')}`, { cause: error });
      }
      outcomes.refused += 1;
    }
  }
  expect(outcomes.refused).toBeGreaterThan(1_000);
  expect(outcomes.accepted).toBeGreaterThan(100);
});

test('a file of endlessly many small fields is refused, not read for minutes', () => {
  // Field 99, an empty text, over and over.
  const flood = new Uint8Array(3 * 1_000_000);
  for (let at = 0; at < flood.length; at += 3) flood.set([0x9a, 0x06, 0x00], at);
  expect(() => checkModel(flood, { bytesMax: 2 ** 28, nodesMax: 100, depthMax: 4, fieldsMax: 100_000 })).toThrow(
    /more than 100000 fields/,
  );
});
