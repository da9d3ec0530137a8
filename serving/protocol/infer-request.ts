import type { InferRequest, RequestedOutput } from './infer-request-shape.js';
import type { InputTensor } from '../../inference/input-tensor.js';
import { isUtf8 } from 'node:buffer';
import { isLongerThan, textProblem } from '../../domain/text/plain-text.js';
import { messageOf } from '../../domain/errors.js';
import { exactIntegers, hasRounded, parseMarked } from '../../domain/text/exact-integers.js';
import { ParsedHeaderCache } from './parsed-header-cache.js';
import { timeoutParameterMs } from '../../inference/caller-deadline.js';
import { quoted, refusal } from '../../inference/refusal.js';

const idLengthMax = 256;
/** Of all models together: what is kept says nothing about any. */
const parsedHeaders = new ParsedHeaderCache();

/**
 * Reads an Open Inference Protocol v2 inference request, with the binary tensor extension when `headerLength` (the
 * `Inference-Header-Content-Length`) is given.
 * @throws PerdureError `input/invalid` for everything that is not such a request.
 */
export function parseInferRequest(body: Buffer, headerLength: string | undefined): InferRequest {
  const jsonLength = headerLength === undefined ? body.length : parseHeaderLength(headerLength, body.length);
  const known = headerLength === undefined ? undefined : parsedHeaders.read(body, jsonLength);
  if (known !== undefined) return known;
  const json = jsonLength === body.length ? body : body.subarray(0, jsonLength);
  const { id, inputs, outputs, parameters } = parseJsonObject(json);
  if (!Array.isArray(inputs))
    throw refusal('The request has no inputs.', 'Send an array "inputs" with one tensor for each feature.');
  const request: InferRequest = {
    id: parseId(id),
    inputs: parseInputs(inputs, body, jsonLength, json),
    outputs: outputs === undefined || outputs === null ? undefined : parseOutputs(outputs),
    binaryOutputs: isObject(parameters) && parameters['binary_data_output'] === true,
    timeoutMs: isObject(parameters) ? timeoutParameterMs(parameters['timeout']) : undefined,
  };
  if (headerLength !== undefined) parsedHeaders.keep(body, jsonLength, request);
  return request;
}

/** @throws PerdureError `input/invalid` for an id that is no short string; an empty one, as null, is none. */
export function parseId(id: unknown): string | undefined {
  if (id === undefined || id === null || id === '') return undefined;
  if (typeof id !== 'string' || isLongerThan(id, idLengthMax))
    throw refusal(
      'The request field id is not a string of at most 256 characters.',
      'Send a short string, or leave it out.',
    );
  const problem = textProblem(id);
  if (problem !== undefined) throw refusal(`The request field id ${problem}.`, 'Send a short string, or leave it out.');
  return id;
}

/** @throws PerdureError `input/invalid` for an input without a name, or one that is there already. */
export function checkInputName(
  tensors: ReadonlyMap<string, InputTensor>,
  index: number,
  name: unknown,
): asserts name is string {
  if (typeof name !== 'string' || name === '')
    throw refusal(`inputs[${index}] has no name.`, 'Name the feature that it holds.');
  if (tensors.has(name)) throw refusal(`Feature ${quoted(name)} is sent twice.`, 'Send each feature once.');
}

function parseHeaderLength(text: string, bodyLength: number): number {
  const length = /^\d{1,15}$/.test(text) ? Number(text) : -1;
  if (length < 0 || length > bodyLength) {
    throw refusal(
      `The header Inference-Header-Content-Length is ${quoted(text)}, but the body has ${bodyLength} bytes.`,
      'Send the length in bytes of the JSON part; was the body truncated?',
    );
  }
  return length;
}

function parseJsonObject(bytes: Buffer): Record<string, unknown> {
  if (!isUtf8(bytes)) {
    throw refusal(
      'The body is not UTF-8.',
      'Send JSON in UTF-8; for binary tensors set the header Inference-Header-Content-Length.',
    );
  }
  if (bytes.length >= 3 && bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf) {
    throw refusal(
      'The body begins with a byte order mark (BOM), which JSON does not allow.',
      'Write it as UTF-8 without one.',
    );
  }
  let value: unknown;
  try {
    value = JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    const reason = messageOf(error);
    throw refusal(
      `The body is not JSON: ${reason}.`,
      'JSON knows neither NaN nor Infinity: write a missing value as null.',
    );
  }
  if (!isObject(value)) throw refusal('The body is not a JSON object.', 'Send {"inputs": [...]}.');
  return value;
}

function parseInputs(inputs: unknown[], body: Buffer, jsonLength: number, json: Buffer): Map<string, InputTensor> {
  const tensors = new Map<string, InputTensor>();
  let at = jsonLength;
  for (const [index, input] of inputs.entries()) {
    if (!isObject(input))
      throw refusal(`inputs[${index}] is not an object.`, 'Send {"name", "shape", "datatype", "data"}.');
    const { name, datatype, shape, data, parameters } = input;
    checkInputName(tensors, index, name);
    if (typeof datatype !== 'string')
      throw refusal(`Feature ${quoted(name)} has no datatype.`, 'Numbers are FP32, strings are BYTES.');
    if (!isShape(shape))
      throw refusal(
        `Feature ${quoted(name)} has the shape ${quoted(shape)}.`,
        'Send [rows, 1], the same for every feature.',
      );
    const size = binarySizeOf(name, parameters);
    if (size === undefined) {
      if (!Array.isArray(data))
        throw refusal(`Feature ${quoted(name)} has no data.`, 'Send an array "data", or a binary tensor.');
      const exact = datatype.endsWith('INT64') && hasRounded(data) ? exactData(json, index) : data;
      tensors.set(name, { name, datatype, shape, ...dataOf(name, shape, exact), bytes: undefined });
      continue;
    }
    if (data !== undefined && data !== null)
      throw refusal(`Feature ${quoted(name)} has data and binary_data_size.`, 'Send the values one way only.');
    if (at + size > body.length) {
      throw refusal(
        `The binary tensor of feature ${quoted(name)} should have ${size} bytes, but only ` +
          `${body.length - at} are left.`,
        'Send the whole body; was it truncated, or Inference-Header-Content-Length omitted?',
      );
    }
    tensors.set(name, { name, datatype, shape, data: undefined, bytes: body.subarray(at, at + size) });
    at += size;
  }
  if (at !== body.length) {
    throw refusal(
      `${body.length - at} bytes follow the last binary tensor.`,
      'Make binary_data_size and Inference-Header-Content-Length agree with the body.',
    );
  }
  return tensors;
}

function binarySizeOf(name: string, parameters: unknown): number | undefined {
  if (!isObject(parameters)) return undefined;
  if (isGiven(parameters, 'shared_memory_region')) {
    throw refusal(`Feature ${quoted(name)} refers to shared memory.`, 'This server takes values in the body only.');
  }
  const size = parameters['binary_data_size'];
  if (size === undefined || size === null) return undefined;
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw refusal(
      `Feature ${quoted(name)} has the binary_data_size ${quoted(size)}.`,
      'Send the length of its binary tensor in bytes.',
    );
  }
  return size;
}

/**
 * The outputs that a request asks for, each `{name, parameters}`; undefined for all.
 * @throws PerdureError `input/invalid`.
 */
export function parseOutputs(outputs: unknown): RequestedOutput[] | undefined {
  if (!Array.isArray(outputs))
    throw refusal('The request field outputs is not an array.', 'Send [{"name": "probabilities"}], or leave it out.');
  if (outputs.length === 0) return undefined;
  const names = new Set<string>();
  return outputs.map((output: unknown, index) => {
    if (!isObject(output) || typeof output['name'] !== 'string')
      throw refusal(`outputs[${index}] has no name.`, 'Send {"name": "probabilities"}.');
    const { name, parameters } = output;
    if (names.has(name)) throw refusal(`Output ${quoted(name)} is requested twice.`, 'Request each output once.');
    names.add(name);
    if (
      isObject(parameters) &&
      (isGiven(parameters, 'classification') || isGiven(parameters, 'shared_memory_region'))
    ) {
      throw refusal(
        `Output ${quoted(name)} asks for classification or shared memory.`,
        'This server supports neither: request the output only.',
      );
    }
    return {
      name,
      binary:
        isObject(parameters) && typeof parameters['binary_data'] === 'boolean' ? parameters['binary_data'] : undefined,
    };
  });
}

/** The data of an input once more, with all the digits of its integers. */
function exactData(json: Buffer, index: number): unknown[] {
  const { inputs } = parseMarked(json.toString('utf8')) as { inputs: { data: unknown[] }[] };
  return (inputs[index]?.data ?? []).map(exactIntegers);
}

/**
 * Values that are nested as the shape says, as one list; where rows are missing or shorter, a list of rows.
 * @throws PerdureError `input/invalid` for data that are nested in another way.
 */
function dataOf(name: string, shape: readonly number[], data: unknown[]): Pick<InputTensor, 'data' | 'nested'> {
  const isOfRows =
    shape.length === 2 &&
    shape[1] !== 1 &&
    data.length === shape[0] &&
    data.every((one) => one === null || Array.isArray(one));
  if (!Array.isArray(data[0]) && !isOfRows) return { data };
  const [rows, ...inner] = shape;
  const width = inner.reduce((product, size) => product * size, 1);
  const isRow = (one: unknown) => one === null || (Array.isArray(one) && one.length <= width);
  const wrong = data.findIndex((one) => !isRow(one));
  if (inner.length === 0 || data.length !== rows || wrong !== -1)
    throw refusal(
      `The data of feature ${quoted(name)} are not nested as its shape ${quoted(shape)} ` +
        `says${wrong === -1 ? '' : `: see row ${wrong}`}.`,
      'Send a flat list of values, or nest them as the shape says.',
    );
  const isWhole = data.every((one) => Array.isArray(one) && one.length === width);
  return isWhole && width > 0 ? { data: data.flat(1) } : { data, nested: true };
}

function isGiven(parameters: Record<string, unknown>, name: string): boolean {
  return Object.hasOwn(parameters, name) && parameters[name] !== null;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isShape(value: unknown): value is number[] {
  return Array.isArray(value) && value.length <= 8 && value.every((size) => Number.isSafeInteger(size) && size >= 0);
}
