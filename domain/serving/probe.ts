import { admittedValue } from '../data/admitted-value.js';
import type { Contract } from '../data/contract.js';

/**
 * Made from the contract alone, so that a version is never asked what its own contract forbids: probes, warm-ups and
 * examples.
 */

/** One row that fits a contract, as Open Inference Protocol inputs: to ask a version for a sign of life. */
export function probeInputs(
  contract: Contract,
): { name: string; datatype: 'FP32' | 'BYTES'; shape: [1, 1]; data: [number | string | null] }[] {
  return Object.entries(contract.features).map(([name, feature]) => ({
    name,
    datatype: feature.type === 'string' ? 'BYTES' : 'FP32',
    shape: [1, 1],
    data: [admittedValue(feature) ?? null],
  }));
}
