/** One input tensor as it arrived: values in JSON or raw bytes, not yet checked against a contract. */
export interface InputTensor {
  name: string;
  datatype: string;
  shape: number[];
  /** Values in row-major order; undefined when the tensor is binary. */
  data: unknown[] | undefined;
  /** Raw little-endian bytes; undefined when the values stand in the JSON. */
  bytes: Buffer | undefined;
}
