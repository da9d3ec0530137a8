import type { InputTensor } from '../../inference/input-tensor.js';

/** An output that the request names. */
export interface RequestedOutput {
  name: string;
  /** Undefined: as the request says for all outputs. */
  binary: boolean | undefined;
}

/** An inference request of either protocol, parsed but not yet read under a contract. */
export interface InferRequest {
  id: string | undefined;
  inputs: Map<string, InputTensor>;
  /** Undefined: all outputs. */
  outputs: RequestedOutput[] | undefined;
  binaryOutputs: boolean;
  /** How long the caller waits at most, in ms, by the parameter `timeout`. */
  timeoutMs: number | undefined;
}
