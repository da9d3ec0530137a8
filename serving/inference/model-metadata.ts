import { PerdureError } from '../../domain/errors.js';
import type { LoadedVersion } from '../routing/loaded-version.js';
import type { RouteTable } from '../routing/route-table.js';

export interface TensorMetadata {
  name: string;
  datatype: string;
  shape: number[];
}

export interface ModelMetadata {
  name: string;
  versions: string[];
  platform: string;
  inputs: TensorMetadata[];
  outputs: TensorMetadata[];
}

/**
 * What the protocol tells of a model: the loaded versions, the inputs that its route takes, and the outputs; of one
 * version, where it is named, its own inputs.
 */
export function modelMetadata(loaded: LoadedVersion, table: RouteTable, version?: number): ModelMetadata {
  const { model } = loaded.served;
  const inputs = (version === undefined ? table.route(model)?.admission.inputs : undefined) ?? loaded.compiled.features;
  return {
    name: model,
    versions: table.versionsOf(model).map((one) => String(one.served.version)),
    platform: 'onnxruntime_onnx',
    inputs: inputs.map(({ name, tensor: { datatype, width } }) => ({ name, datatype, shape: [-1, width] })),
    outputs: loaded.shape.outputs.map(({ name, datatype, width }) => ({
      ...{ name, datatype },
      shape: width === null ? [-1] : [-1, width],
    })),
  };
}

export function serverMetadata(productVersion: string): { name: string; version: string; extensions: string[] } {
  return { name: 'perdure', version: productVersion, extensions: ['binary_tensor_data', 'model_repository'] };
}

/**
 * The version that a request names; undefined when it names none.
 * @throws PerdureError `model/unknown` for one that is no number.
 */
export function requestedVersion(model: string, version: string | undefined): number | undefined {
  if (version === undefined || version === '') return undefined;
  if (!/^[1-9]\d{0,8}$/.test(version)) {
    throw new PerdureError(
      'model/unknown',
      `${JSON.stringify(version.slice(0, 50))} is not a version of ${model}. Versions are numbers from 1.`,
    );
  }
  return Number(version);
}
