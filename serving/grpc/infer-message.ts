import type { InputTensor } from '../../inference/input-tensor.js';
import type { InferRequest } from '../protocol/infer-request-shape.js';
import { checkInputName, parseId, parseOutputs } from '../protocol/infer-request.js';
import type { Answer, WantedOutput } from '../protocol/answer-shape.js';
import { binaryData, outputNumbers } from '../protocol/infer-response.js';
import { timeoutParameterMs } from '../../inference/caller-deadline.js';
import { quoted, refusal } from '../../inference/refusal.js';
import {
  ModelInferRequest_InferRequestedOutputTensor,
  ModelInferRequest_ParametersEntry,
  ModelInferResponse,
  type InferTensorContents,
} from './generated/open_inference_grpc.js';
import { readContents } from './tensor-contents.js';
import { WireReader } from './wire-reader.js';
import { messageOf } from '../../domain/errors.js';

export interface InferMessage {
  model: string;
  version: string;
  request: InferRequest;
  /** Raw tensors are answered with raw tensors, typed ones with typed ones. */
  raw: boolean;
}

/** Reads a ModelInferRequest. @throws PerdureError `input/invalid` for everything that is not such a message. */
export function readInferMessage(bytes: Buffer): InferMessage {
  const message = parse(bytes);
  const raw = message.raw.length > 0;
  if (raw && message.raw.length !== message.inputs.length) {
    throw refusal(
      `There are ${message.inputs.length} inputs, but ${message.raw.length} raw_input_contents.`,
      'Send one for each input, in the same order.',
    );
  }
  const inputs = new Map<string, InputTensor>();
  for (let index = 0; index < message.inputs.length; index += 1) {
    const input = message.inputs[index];
    if (input === undefined) break;
    const { name, datatype, shape, contents } = input;
    checkInputName(inputs, index, name);
    if (raw && contents !== undefined)
      throw refusal(`Feature ${quoted(name)} has contents beside raw_input_contents.`, 'Send the values one way only.');
    inputs.set(name, {
      name,
      datatype,
      shape,
      data: raw ? undefined : readContents(name, datatype, contents),
      bytes: message.raw[index],
    });
  }
  const outputs = parseOutputs(message.outputs);
  return {
    model: message.model,
    version: message.version,
    request: {
      id: parseId(message.id),
      inputs,
      outputs,
      binaryOutputs: raw,
      timeoutMs: timeoutParameterMs(message.timeout),
    },
    raw,
  };
}

/** Writes a ModelInferResponse. */
export function writeInferMessage(
  message: InferMessage,
  version: number,
  id: string,
  { answer, wanted }: { answer: Answer; wanted: readonly WantedOutput[] },
): Buffer {
  const { raw } = message;
  const { rows } = answer;
  const encoded = ModelInferResponse.encode({
    modelName: message.model,
    modelVersion: String(version),
    id,
    parameters: {},
    outputs: wanted.map((output) => ({
      name: output.name,
      datatype: output.datatype,
      shape: output.width === null ? [rows] : [rows, output.width],
      parameters: {},
      contents: raw ? undefined : typedContents(output, answer),
    })),
    rawOutputContents: raw ? wanted.map((output) => binaryData(output, answer)) : [],
  }).finish();
  return Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
}

interface Parsed {
  model: string;
  version: string;
  id: string;
  timeout: unknown;
  inputs: { name: string; datatype: string; shape: number[]; contents: Buffer | undefined }[];
  outputs: ModelInferRequest_InferRequestedOutputTensor[];
  raw: Buffer[];
}

function parse(bytes: Buffer): Parsed {
  const parsed: Parsed = { model: '', version: '', id: '', timeout: undefined, inputs: [], outputs: [], raw: [] };
  try {
    const reader = new WireReader(bytes);
    while (reader.next()) parseField(reader, parsed);
    return parsed;
  } catch (error) {
    throw refusal(
      `The message is not a ModelInferRequest: ${messageOf(error)}.`,
      'Send one as open_inference_grpc.proto describes it.',
    );
  }
}

function parseField(reader: WireReader, parsed: Parsed): void {
  switch (reader.field) {
    case 1:
      parsed.model = textOf(reader);
      return;
    case 2:
      parsed.version = textOf(reader);
      return;
    case 3:
      parsed.id = textOf(reader);
      return;
    case 4: {
      const { key, value } = ModelInferRequest_ParametersEntry.decode(reader.bytes());
      if (key === 'timeout') parsed.timeout = value?.parameterChoice?.value;
      return;
    }
    case 5:
      parsed.inputs.push(reader.message(parseInput));
      return;
    case 6:
      parsed.outputs.push(ModelInferRequest_InferRequestedOutputTensor.decode(reader.bytes()));
      return;
    case 7:
      parsed.raw.push(reader.bytes());
      return;
    default:
      reader.skip();
  }
}

function parseInput(reader: WireReader): Parsed['inputs'][number] {
  const input: Parsed['inputs'][number] = { name: '', datatype: '', shape: [], contents: undefined };
  while (reader.next()) {
    if (reader.field === 1) input.name = textOf(reader);
    else if (reader.field === 2) input.datatype = textOf(reader);
    else if (reader.field === 3) reader.repeated(readVarint, input.shape);
    else if (reader.field === 5)
      input.contents = input.contents ? Buffer.concat([input.contents, reader.bytes()]) : reader.bytes();
    else reader.skip();
  }
  return input;
}

function textOf(reader: WireReader): string {
  const text = reader.text();
  if (text === undefined) throw new RangeError(`the string in field ${reader.field} is not UTF-8`);
  return text;
}

const readVarint = (reader: WireReader): number => reader.varint();

/** Typed contents without a value: every list of the message must be there. */
export const noContents: InferTensorContents = {
  boolContents: [],
  intContents: [],
  int64Contents: [],
  uintContents: [],
  uint64Contents: [],
  fp32Contents: [],
  fp64Contents: [],
  bytesContents: [],
};

function typedContents(output: WantedOutput, answer: Answer): InferTensorContents {
  const { places, shape } = answer;
  if (output.from >= 0 || places === undefined)
    return { ...noContents, fp32Contents: Array.from(outputNumbers(output, answer)) };
  const { classes } = shape.signature;
  const named = Array.from(places, (place) => classes[place] ?? '');
  return output.datatype === 'BYTES'
    ? { ...noContents, bytesContents: named.map((name) => Buffer.from(String(name))) }
    : { ...noContents, int64Contents: named.map(Number) };
}
