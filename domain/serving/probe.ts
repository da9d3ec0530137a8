import { admittedValue } from '../data/admitted-value.js';
import type { Contract } from '../data/contract.js';
import { jsonOf, valueTypeOf } from '../data/feature/feature-value.js';
import { requestTensor, type Datatype } from '../data/feature/model-inputs.js';

/**
 * Made from the contract alone, so that a version is never asked what its own contract forbids: probes, warm-ups and
 * examples.
 */

/** One row that fits a contract, as Open Inference Protocol inputs: to ask a version for a sign of life. */
export function probeInputs(
  contract: Contract,
): { name: string; datatype: Datatype; shape: [1, number]; data: (number | string | boolean | null)[] }[] {
  return Object.entries(contract.features).map(([name, feature]) => {
    const { datatype, width } = requestTensor(name, feature);
    const value = jsonOf(valueTypeOf(feature), admittedValue(feature) ?? null);
    if (!Array.isArray(value))
      return { name, datatype, shape: [1, width], data: new Array<typeof value>(width).fill(value) };
    return {
      name,
      datatype,
      shape: [1, width],
      data: Array.from({ length: width }, (_, place) => value[place] ?? null),
    };
  });
}
