import { describe, expect, it } from 'vitest';
import { definitionDigest, parseModelDefinition, readDefinition } from '../../../domain/model-definition.js';
import flightDelay from '../../../models/flight-delay/model.js';
import repeatPurchase from '../../../models/repeat-purchase/model.js';

describe('definitions from one release to the next', () => {
  // As version 0.1.0 computed them. They change only when somebody edits the model, never because the product learned a field.
  it('the digest of a definition that nobody touched stays', () => {
    expect([flightDelay, repeatPurchase].map(definitionDigest)).toEqual([
      'db626db7d766d2f86b4307da76d0809469074cd37a1d7786853ea4d6d65821f0',
      'b844679b1c563bf6314c7c86a5f381e8645a4eec02e675ff439aefb55b8069a5',
    ]);
  });

  it('a name that JavaScript keeps for itself is refused when applied; a stored definition that has it is read still', () => {
    const { contract } = flightDelay;
    const odd = { ...flightDelay, contract: { ...contract, features: { ...contract.features, constructor: { type: 'number' } } } };
    expect(() => parseModelDefinition(odd)).toThrow(/contract\.features\.constructor: is a name that JavaScript keeps for itself/);
    expect(Object.keys(readDefinition(odd).contract.features)).toContain('constructor');
  });
});
