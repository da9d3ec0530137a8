/** One input tensor as it arrived: values in JSON or raw bytes, not yet checked against a contract. */
export interface InputTensor {
  name: string;
  datatype: string;
  shape: number[];
  /** Values in row-major order; undefined when the tensor is binary. */
  data: unknown[] | undefined;
  /** The data are a list a row, or null for it: of rows that are missing or of different lengths. */
  nested?: true;
  /** Raw little-endian bytes; undefined when the values stand in the JSON. */
  bytes: Buffer | undefined;
}
