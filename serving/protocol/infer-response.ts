import type { Answer, AnswerOutput, AnswerShape, WantedOutput } from './answer-shape.js';
import { fp32ArrayText } from './fp32-text.js';
import type { InferRequest } from './infer-request-shape.js';
import { quoted, refusal } from '../../inference/refusal.js';

export interface InferResponse {
  body: string | Buffer;
  /** Value of the header `Inference-Header-Content-Length`; undefined when the whole body is JSON. */
  headerLength: number | undefined;
}

/** @throws PerdureError `input/invalid` for an output that does not exist. */
export function wantedOutputs(
  { outputs: own, wantedAsText, wantedAsBytes }: AnswerShape,
  { outputs, binaryOutputs }: Pick<InferRequest, 'outputs' | 'binaryOutputs'>,
): readonly WantedOutput[] {
  if (outputs === undefined) return binaryOutputs ? wantedAsBytes : wantedAsText;
  return outputs.map(({ name, binary }) => {
    const known = own.find((one) => one.name === name);
    if (known === undefined)
      throw refusal(`Output ${quoted(name)} does not exist.`, `Outputs are: ${own.map((one) => one.name).join(', ')}.`);
    return { ...known, binary: binary ?? binaryOutputs };
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
  const outputs = wanted.map((output) => {
    const { name, datatype, width, binary } = output;
    const shape = width === null ? `[${answer.rows}]` : `[${answer.rows},${width}]`;
    const head = `{"name":"${name}","datatype":"${datatype}","shape":${shape}`;
    if (!binary) return `${head},"data":${jsonData(output, answer)}}`;
    const bytes = binaryData(output, answer);
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

/** The numbers of one output, row after row: of an output that is all of the scores no copy. */
export function outputNumbers({ from, width }: AnswerOutput, { values, width: all, rows }: Answer): Float32Array {
  const own = width ?? 1;
  if (own === all) return values;
  const numbers = new Float32Array(rows * own);
  for (let row = 0; row < rows; row += 1)
    for (let at = 0; at < own; at += 1) numbers[row * own + at] = values[row * all + from + at] ?? NaN;
  return numbers;
}

function jsonData(output: AnswerOutput, answer: Answer): string {
  const { places, shape } = answer;
  if (output.from >= 0 || places === undefined) return fp32ArrayText(outputNumbers(output, answer));
  let text = '[';
  for (let row = 0; row < places.length; row += 1)
    text += `${row === 0 ? '' : ','}${shape.classTexts[places[row] ?? 0] ?? 'null'}`;
  return `${text}]`;
}

/** An output's values as raw bytes, little-endian as the processors are that this runs on. */
export function binaryData(output: AnswerOutput, answer: Answer): Buffer {
  const { places, shape } = answer;
  if (output.from >= 0 || places === undefined) {
    const { buffer, byteOffset, byteLength } = outputNumbers(output, answer);
    return Buffer.from(buffer, byteOffset, byteLength);
  }
  const { classWords, classBytes } = shape;
  if (classWords === undefined) return Buffer.concat(Array.from(places, (place) => classBytes[place] ?? noBytes));
  const words = new Int32Array(places.length * 2);
  for (let row = 0; row < places.length; row += 1) {
    const place = places[row] ?? 0;
    words[row * 2] = classWords[place * 2] ?? 0;
    words[row * 2 + 1] = classWords[place * 2 + 1] ?? 0;
  }
  return Buffer.from(words.buffer);
}

const noBytes = Buffer.alloc(0);
