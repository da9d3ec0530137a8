import { PerdureError } from '../../domain/errors.js';
import { expectWireType, ProtobufError, protobufFields, protobufText, type ProtobufField } from './protobuf-reader.js';

/** An input or output of a model. */
export interface TensorInfo {
  name: string;
  /** ONNX element type in lower case: `float`, `int64`, `string` …; `type 77` when it is none of the known ones. */
  elementType: string;
  /** A number for a fixed dimension, its name for a named one, null for any. */
  shape: (number | string | null)[];
}

/** What a model file says of itself. */
export interface ModelInfo {
  bytes: number;
  irVersion: number;
  /** Operator set versions by domain; `ai.onnx` for the empty domain. */
  opsets: Record<string, number>;
  graphName: string;
  nodes: number;
  inputs: TensorInfo[];
  outputs: TensorInfo[];
}

export interface ModelLimits {
  bytesMax: number;
  nodesMax: number;
  /** Subgraphs inside subgraphs (If, Loop, Scan); 0 for the main graph alone. */
  depthMax: number;
  /** Fields that are read at all: what bounds the time that the check takes. */
  fieldsMax: number;
}

export const defaultModelLimits: ModelLimits = {
  bytesMax: 256 * 1024 * 1024,
  nodesMax: 20_000,
  depthMax: 4,
  fieldsMax: 50_000_000,
};

/** Operator domains that the runtime itself implements and that touch nothing outside. */
const knownDomains: ReadonlySet<string> = new Set(['', 'ai.onnx', 'ai.onnx.ml']);

/**
 * Reads an ONNX file before any runtime does, because a model is a program: refuses tensors that lie in other files (a
 * runtime would read any file they name), operators of other domains, local functions, training graphs, ORT's own
 * format, and what exceeds the limits.
 * @throws PerdureError `artifact/refused` that names what was found
 */
export function checkModel(bytes: Uint8Array, limits: ModelLimits = defaultModelLimits): ModelInfo {
  if (bytes.length > limits.bytesMax)
    throw refused(`it has ${bytes.length} bytes, more than the ${limits.bytesMax} allowed`);
  if (bytes.length === 0) throw refused('it is empty');
  if (Buffer.from(bytes.subarray(4, 8)).toString('latin1') === 'ORTM')
    throw refused('it is in the ORT format, only ONNX is accepted');
  try {
    return new ModelReader(bytes, limits).read();
  } catch (error) {
    if (error instanceof ProtobufError) throw refused(`it is not a readable ONNX file: ${error.message}`);
    throw error;
  }
}

function refused(why: string): PerdureError {
  return new PerdureError('artifact/refused', `The model was refused: ${why}. Fix the export.`);
}

const elementTypes: readonly string[] = (
  'undefined float uint8 int8 uint16 int16 int32 int64 string bool float16 double uint32 uint64 complex64 ' +
  'complex128 bfloat16'
).split(' ');

/**
 * Field numbers are those of onnx.proto (ONNX 1.23). A message field that comes twice is merged by readers, so every
 * occurrence is checked.
 */
class ModelReader {
  private readonly info: ModelInfo;
  private readonly initializers = new Set<string>();
  private graphs = 0;
  private fields = 0;

  constructor(
    private readonly bytes: Uint8Array,
    private readonly limits: ModelLimits,
  ) {
    this.info = { bytes: bytes.length, irVersion: 0, opsets: {}, graphName: '', nodes: 0, inputs: [], outputs: [] };
  }

  read(): ModelInfo {
    for (const field of this.counted(protobufFields(this.bytes))) {
      if (field.number === 1) this.info.irVersion = this.number(field);
      if (field.number === 7) this.graph(field, 0);
      if (field.number === 8) this.opset(field);
      if (field.number === 20) throw refused('it holds a training graph');
      if (field.number === 25) throw refused('it defines functions of its own');
    }
    if (this.graphs !== 1) throw refused(`it holds ${this.graphs} graphs instead of one`);
    if (Object.keys(this.info.opsets).length === 0) throw refused('it names no operator set');
    if (this.info.outputs.length === 0) throw refused('it has no output');
    this.info.inputs = this.info.inputs.filter((input) => !this.initializers.has(input.name));
    return this.info;
  }

  private graph(of: ProtobufField, depth: number): void {
    if (depth > this.limits.depthMax) throw refused(`its graphs are nested deeper than ${this.limits.depthMax}`);
    if (depth === 0) this.graphs++;
    for (const field of this.message(of)) {
      if (field.number === 1) this.node(field, depth);
      if (field.number === 2 && depth === 0) this.info.graphName = protobufText(this.bytes, field);
      if (field.number === 5) this.tensor(field, depth);
      if (field.number === 11 && depth === 0) this.info.inputs.push(this.valueInfo(field));
      if (field.number === 12 && depth === 0) this.info.outputs.push(this.valueInfo(field));
      if (field.number === 15) this.sparseTensor(field);
    }
  }

  private node(of: ProtobufField, depth: number): void {
    this.info.nodes++;
    if (this.info.nodes > this.limits.nodesMax) throw refused(`it has more than ${this.limits.nodesMax} nodes`);
    for (const field of this.message(of)) {
      if (field.number === 5) this.attribute(field, depth);
      if (field.number === 7) this.domain(protobufText(this.bytes, field));
    }
  }

  private attribute(of: ProtobufField, depth: number): void {
    for (const field of this.message(of)) {
      if (field.number === 5 || field.number === 10) this.tensor(field);
      if (field.number === 6 || field.number === 11) this.graph(field, depth + 1);
      if (field.number === 22 || field.number === 23) this.sparseTensor(field);
    }
  }

  private sparseTensor(of: ProtobufField): void {
    for (const field of this.message(of)) if (field.number === 1 || field.number === 2) this.tensor(field);
  }

  private tensor(of: ProtobufField, depth?: number): void {
    for (const field of this.message(of)) {
      if (field.number === 8 && depth === 0) this.initializers.add(protobufText(this.bytes, field));
      if (field.number === 13) throw refused('a tensor is stored in another file (external data)');
      if (field.number === 14 && this.number(field) !== 0)
        throw refused('a tensor is stored in another file (external data)');
    }
  }

  private opset(of: ProtobufField): void {
    let name = '';
    let version = 0;
    for (const field of this.message(of)) {
      if (field.number === 1) name = protobufText(this.bytes, field);
      if (field.number === 2) version = this.number(field);
    }
    this.domain(name);
    this.info.opsets[name === '' ? 'ai.onnx' : name] = version;
  }

  private domain(name: string): void {
    if (!knownDomains.has(name))
      throw refused(
        `it uses operators of the domain ${JSON.stringify(name.slice(0, 100))}; only ai.onnx and ` +
          'ai.onnx.ml are accepted',
      );
  }

  private valueInfo(of: ProtobufField): TensorInfo {
    const info: TensorInfo = { name: '', elementType: 'undefined', shape: [] };
    let tensors = 0;
    for (const field of this.message(of)) {
      if (field.number === 1) info.name = protobufText(this.bytes, field);
      if (field.number !== 2) continue;
      for (const type of this.message(field)) {
        if (type.number !== 1) continue;
        tensors++;
        this.tensorType(type, info);
      }
    }
    if (tensors !== 1)
      throw refused(
        `its input or output ${JSON.stringify(info.name)} is not a tensor (for a classifier, leave ZipMap off)`,
      );
    return info;
  }

  private tensorType(of: ProtobufField, info: TensorInfo): void {
    for (const field of this.message(of)) {
      if (field.number === 1) info.elementType = elementTypes[this.number(field)] ?? `type ${this.number(field)}`;
      if (field.number !== 2) continue;
      for (const dimension of this.message(field))
        if (dimension.number === 1) info.shape.push(this.dimension(dimension));
    }
  }

  private dimension(of: ProtobufField): number | string | null {
    let size: number | string | null = null;
    for (const field of this.message(of)) {
      if (field.number === 1) size = this.number(field);
      if (field.number === 2) size = protobufText(this.bytes, field);
    }
    return size === '' ? null : size;
  }

  private message(of: ProtobufField): Generator<ProtobufField> {
    expectWireType(of, 'bytes');
    return this.counted(protobufFields(this.bytes, of.start, of.end));
  }

  private *counted(fields: Generator<ProtobufField>): Generator<ProtobufField> {
    for (const field of fields) {
      this.fields += 1;
      if (this.fields > this.limits.fieldsMax) throw refused(`it has more than ${this.limits.fieldsMax} fields`);
      yield field;
    }
  }

  private number(of: ProtobufField): number {
    expectWireType(of, 'varint');
    return of.value;
  }
}
