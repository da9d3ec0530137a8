import type { Contract } from './contract.js';

/** One row that fits a contract, as Open Inference Protocol inputs: to ask a version for a sign of life. */
export function probeInputs(contract: Contract): { name: string; datatype: 'FP32' | 'BYTES'; shape: [1, 1]; data: [number | string] }[] {
  return Object.entries(contract.features).map(([name, feature]) =>
    feature.type === 'string'
      ? { name, datatype: 'BYTES', shape: [1, 1], data: [feature.levels?.[0] ?? 'probe'] }
      : { name, datatype: 'FP32', shape: [1, 1], data: [within(feature.min ?? -Infinity, feature.max ?? Infinity)] },
  );
}

const within = (min: number, max: number): number => Math.min(Math.max(0, min), max);
