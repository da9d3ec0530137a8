import { isUtf8 } from 'node:buffer';
import { PerdureError } from '../../domain/errors.js';
import { checkInputName, parseId, parseOutputs, type InferRequest, type InputTensor } from '../infer-request.js';
import { binaryData, datatypeOf, wantedOutputs, type Answer, type WantedOutput } from '../infer-response.js';
import { timeoutParameterMs } from '../patience.js';
import { quoted, refusal } from '../refusal.js';
import { ModelInferRequest, ModelInferResponse, type InferTensorContents } from './generated/open_inference_grpc.js';

export interface InferMessage {
  model: string;
  version: string;
  request: InferRequest;
  wanted: WantedOutput[];
  /** Raw tensors are answered with raw tensors, typed ones with typed ones. */
  raw: boolean;
}

/** Where the typed values of a datatype stand. */
const contentsOf: Readonly<Record<string, Exclude<keyof InferTensorContents, 'bytesContents'>>> = {
  FP32: 'fp32Contents',
  FP64: 'fp64Contents',
  INT8: 'intContents',
  INT16: 'intContents',
  INT32: 'intContents',
  INT64: 'int64Contents',
  UINT8: 'uintContents',
  UINT16: 'uintContents',
  UINT32: 'uintContents',
  UINT64: 'uint64Contents',
  BOOL: 'boolContents',
};

/** Reads a ModelInferRequest. @throws PerdureError `input/invalid` for everything that is not such a message. */
export function readInferMessage(bytes: Buffer): InferMessage {
  const message = decode(bytes);
  const raw = message.rawInputContents.length > 0;
  if (raw && message.rawInputContents.length !== message.inputs.length) {
    throw refusal(
      `There are ${message.inputs.length} inputs, but ${message.rawInputContents.length} raw_input_contents.`,
      'Send one for each input, in the same order.',
    );
  }
  const inputs = new Map<string, InputTensor>();
  for (const [index, { name, datatype, shape, contents }] of message.inputs.entries()) {
    checkInputName(inputs, index, name);
    if (raw && contents !== undefined)
      throw refusal(`Feature ${quoted(name)} has contents beside raw_input_contents.`, 'Send the values one way only.');
    inputs.set(name, {
      name,
      datatype,
      shape,
      data: raw ? undefined : typedValues(name, datatype, contents),
      bytes: message.rawInputContents[index],
    });
  }
  const outputs = parseOutputs(message.outputs);
  const timeout = message.parameters['timeout']?.parameterChoice?.value;
  return {
    model: message.modelName,
    version: message.modelVersion,
    request: { id: parseId(message.id), inputs, outputs, binaryOutputs: raw, timeoutMs: timeoutParameterMs(timeout) },
    wanted: wantedOutputs(outputs, raw),
    raw,
  };
}

/** Writes a ModelInferResponse. */
export function writeInferMessage(message: InferMessage, version: number, id: string, answer: Answer): Buffer {
  const { raw } = message;
  const rows = answer.labels.length;
  const encoded = ModelInferResponse.encode({
    modelName: message.model,
    modelVersion: String(version),
    id,
    parameters: {},
    outputs: message.wanted.map(({ name }) => ({
      name,
      datatype: datatypeOf(name, answer),
      shape: name === 'label' ? [rows] : [rows, answer.classes],
      parameters: {},
      contents: raw ? undefined : typedContents(name, answer),
    })),
    rawOutputContents: raw ? message.wanted.map(({ name }) => binaryData(name, answer)) : [],
  }).finish();
  return Buffer.from(encoded.buffer, encoded.byteOffset, encoded.byteLength);
}

function decode(bytes: Buffer): ModelInferRequest {
  try {
    return ModelInferRequest.decode(bytes);
  } catch (error) {
    if (error instanceof PerdureError) throw error;
    throw refusal(
      `The message is not a ModelInferRequest: ${error instanceof Error ? error.message : String(error)}.`,
      'Send one as open_inference_grpc.proto describes it.',
    );
  }
}

function typedValues(name: string, datatype: string, contents: InferTensorContents | undefined): unknown[] {
  if (contents === undefined) throw refusal(`Feature ${quoted(name)} has no values.`, 'Send contents, or raw_input_contents.');
  if (datatype === 'BYTES') return contents.bytesContents.map((bytes, row) => text(name, row, bytes));
  const field = Object.hasOwn(contentsOf, datatype) ? contentsOf[datatype] : undefined;
  if (field === undefined)
    throw refusal(`Feature ${quoted(name)} has the datatype ${quoted(datatype)}, for which there are no contents.`, 'Send FP32 or BYTES.');
  return contents[field];
}

function text(name: string, row: number, bytes: Buffer): string {
  if (!isUtf8(bytes)) throw refusal(`Feature ${name}, row ${row}: the bytes are not UTF-8.`, 'Encode strings as UTF-8.');
  return bytes.toString('utf8');
}

const noContents: InferTensorContents = {
  boolContents: [],
  intContents: [],
  int64Contents: [],
  uintContents: [],
  uint64Contents: [],
  fp32Contents: [],
  fp64Contents: [],
  bytesContents: [],
};

function typedContents(name: WantedOutput['name'], { labels, probabilities }: Answer): InferTensorContents {
  if (name === 'probabilities') return { ...noContents, fp32Contents: Array.from(probabilities) };
  if (Array.isArray(labels)) return { ...noContents, bytesContents: labels.map((label) => Buffer.from(label)) };
  return { ...noContents, int64Contents: Array.from(labels) };
}
