import type { Scores } from '../../domain/tasks/scores.js';
import { fp32ArrayText } from './fp32-text.js';
import type { RequestedOutput } from './infer-request-shape.js';
import { quoted, refusal } from '../../inference/refusal.js';

/** What callers are told. */
export interface Answer extends Scores {
  /** One a row: 1 for a positive row, else 0. */
  labels: Int32Array;
}

/** Labels by a version's own threshold, as evaluation draws the line: a row is positive from it on. */
export function predictClasses({ values, width }: Scores, threshold = 0.5): Answer {
  const labels = new Int32Array(values.length / width);
  for (let row = 0; row < labels.length; row += 1)
    labels[row] = (values[(row + 1) * width - 1] ?? 0) >= threshold ? 1 : 0;
  return { labels, values, width };
}

export interface InferResponse {
  body: string | Buffer;
  /** Value of the header `Inference-Header-Content-Length`; undefined when the whole body is JSON. */
  headerLength: number | undefined;
}

/** The outputs of every model, in the order in which they are sent. */
export const outputNames = ['label', 'probabilities'] as const;
type OutputName = (typeof outputNames)[number];

export interface WantedOutput {
  name: OutputName;
  binary: boolean;
}

/** @throws PerdureError `input/invalid` for an output that does not exist. */
export function wantedOutputs(
  outputs: readonly RequestedOutput[] | undefined,
  binaryByDefault: boolean,
): WantedOutput[] {
  if (outputs === undefined) return outputNames.map((name) => ({ name, binary: binaryByDefault }));
  return outputs.map(({ name, binary }) => {
    const known = outputNames.find((one) => one === name);
    if (known === undefined)
      throw refusal(`Output ${quoted(name)} does not exist.`, `Outputs are: ${outputNames.join(', ')}.`);
    return { name: known, binary: binary ?? binaryByDefault };
  });
}

/** Writes an Open Inference Protocol v2 response, binary tensors behind the JSON where they were asked for. */
export function encodeInferResponse(
  model: string,
  version: number,
  id: string,
  answer: Answer,
  wanted: readonly WantedOutput[],
): InferResponse {
  const tensors: Buffer[] = [];
  const outputs = wanted.map(({ name, binary }) => {
    const head = `{"name":"${name}","datatype":"${datatypeOf(name)}","shape":${shapeOf(name, answer)}`;
    if (!binary) return `${head},"data":${jsonData(name, answer)}}`;
    const bytes = binaryData(name, answer);
    tensors.push(bytes);
    return `${head},"parameters":{"binary_data_size":${bytes.length}}}`;
  });
  const json =
    `{"model_name":"${model}","model_version":"${version}"` +
    `,"id":${JSON.stringify(id)},"outputs":[${outputs.join(',')}]}`;
  if (tensors.length === 0) return { body: json, headerLength: undefined };
  const header = Buffer.from(json);
  return { body: Buffer.concat([header, ...tensors]), headerLength: header.length };
}

export function datatypeOf(name: OutputName): string {
  return name === 'probabilities' ? 'FP32' : 'INT64';
}

function shapeOf(name: OutputName, answer: Answer): string {
  return name === 'label' ? `[${answer.labels.length}]` : `[${answer.labels.length},${answer.width}]`;
}

function jsonData(name: OutputName, answer: Answer): string {
  if (name === 'probabilities') return fp32ArrayText(answer.values);
  return `[${answer.labels.join(',')}]`;
}

/** An output's values as raw little-endian bytes. */
export function binaryData(name: OutputName, { labels, values }: Answer): Buffer {
  // Processors that this runs on are little-endian, as the protocol's bytes are.
  if (name === 'probabilities') return Buffer.from(values.buffer, values.byteOffset, values.byteLength);
  // 64 bits each: the number, and its sign once more.
  const words = new Int32Array(labels.length * 2);
  for (let index = 0; index < labels.length; index += 1) {
    const label = labels[index] ?? 0;
    words[index * 2] = label;
    words[index * 2 + 1] = label >> 31;
  }
  return Buffer.from(words.buffer);
}
