import type { InputTensor } from '../../inference/input-tensor.js';
import type { InferRequest } from './infer-request-shape.js';

/** The JSON part of a binary request, behind its id, and what was read from it. */
interface KnownHead {
  rest: Buffer;
  tensors: (Pick<InputTensor, 'name' | 'datatype' | 'shape'> & { bytes: number })[];
  tensorBytes: number;
  request: Omit<InferRequest, 'id' | 'inputs'>;
}

const headsMax = 8;
const headBytesMax = 16 * 1024;
const idLengthMax = 256;
/** With the space that Python's `json` writes, and without. */
const idBeginnings = [Buffer.from('{"id":"'), Buffer.from('{"id": "')];
const quote = 0x22;
const backslash = 0x5c;

/**
 * A client that sends tensors as bytes writes the same JSON before them again and again, but for the request's id: one
 * that was read before is not read again, which is most of what such a request costs. Only heads are kept in which
 * nothing but the id can differ, the few that came last.
 */
export class ParsedHeaderCache {
  private readonly heads: KnownHead[] = [];

  /** Undefined for a head that is not known, or a body that does not fit it. */
  read(body: Buffer, jsonLength: number): InferRequest | undefined {
    const [from, to] = idOf(body, jsonLength);
    const index = this.heads.findIndex(
      ({ rest, tensorBytes }) =>
        rest.length === jsonLength - to &&
        body.length === jsonLength + tensorBytes &&
        body.compare(rest, 0, rest.length, to, jsonLength) === 0,
    );
    const head = this.heads[index];
    if (head === undefined) return undefined;
    if (index > 0) this.heads.unshift(...this.heads.splice(index, 1));
    const inputs = new Map<string, InputTensor>();
    let at = jsonLength;
    for (const { name, datatype, shape, bytes } of head.tensors) {
      inputs.set(name, { name, datatype, shape, data: undefined, bytes: body.subarray(at, at + bytes) });
      at += bytes;
    }
    return { ...head.request, id: from < to ? body.toString('latin1', from, to) : undefined, inputs };
  }

  /** Remembers what was read from a head. */
  keep(body: Buffer, jsonLength: number, { id, inputs, ...request }: InferRequest): void {
    const [from, to] = idOf(body, jsonLength);
    const rest = Buffer.from(body.subarray(to, jsonLength));
    // Where the id could stand elsewhere, or be written otherwise, the head is read each time.
    if (rest.length > headBytesMax || rest.includes('"id"') || rest.includes(backslash)) return;
    if (id !== (from < to ? body.toString('latin1', from, to) : undefined)) return;
    const tensors: KnownHead['tensors'] = [];
    for (const { name, datatype, shape, bytes } of inputs.values()) {
      if (bytes === undefined) return;
      tensors.push({ name, datatype, shape, bytes: bytes.length });
    }
    this.heads.unshift({ rest, tensors, tensorBytes: body.length - jsonLength, request });
    this.heads.length = Math.min(this.heads.length, headsMax);
  }
}

/** Where a plain ASCII id lies that the head begins with; 0 and 0 where there is none. */
function idOf(body: Buffer, jsonLength: number): [from: number, to: number] {
  const beginning = idBeginnings.find(
    (one) => jsonLength > one.length && body.compare(one, 0, one.length, 0, one.length) === 0,
  );
  if (beginning === undefined) return [0, 0];
  const end = Math.min(jsonLength, beginning.length + idLengthMax + 1);
  for (let at = beginning.length; at < end; at += 1) {
    const code = body[at] ?? 0;
    if (code === quote) return [beginning.length, at];
    if (code < 0x20 || code >= 0x80 || code === backslash) break;
  }
  return [0, 0];
}
