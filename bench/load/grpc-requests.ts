import type { ShapedRow } from '../../adapters/data-engine/snapshot/read-shaped-rows.js';
import type { Contract } from '../../domain/data/contract.js';
import { ModelInferRequest } from '../../serving/grpc/generated/open_inference_grpc.js';
import { noContents } from '../../serving/grpc/infer-message.js';

export const inferMethod = '/inference.GRPCInferenceService/ModelInfer';

/** Single rows as gRPC messages with typed contents, each with the prefix that says its length. */
export function grpcRequests(model: string, contract: Contract, rows: readonly ShapedRow[], count: number): Buffer[] {
  return Array.from({ length: count }, (_, number) => {
    const row = rows[number % rows.length];
    const inputs = Object.entries(contract.features).map(([name, { type }]) => {
      const value = row?.features[name] ?? null;
      const contents =
        type === 'string'
          ? { ...noContents, bytesContents: [Buffer.from(String(value ?? ''))] }
          : { ...noContents, fp32Contents: [typeof value === 'number' ? value : NaN] };
      return { name, datatype: type === 'string' ? 'BYTES' : 'FP32', shape: [1, 1], parameters: {}, contents };
    });
    const request = {
      modelName: model,
      modelVersion: '',
      id: `bench-${number}`,
      parameters: {},
      inputs,
      outputs: [],
      rawInputContents: [],
    };
    const message = ModelInferRequest.encode(request).finish();
    const prefix = Buffer.alloc(5);
    prefix.writeUInt32BE(message.length, 1);
    return Buffer.concat([prefix, message]);
  });
}
