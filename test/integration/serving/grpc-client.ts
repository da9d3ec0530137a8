import {
  Client,
  credentials,
  Metadata,
  type CallOptions,
  type ChannelOptions,
  type ClientUnaryCall,
  type ServiceError,
} from '@grpc/grpc-js';
import {
  ModelInferRequest,
  ModelInferResponse,
  type ModelInferRequest_InferInputTensor,
} from '../../../serving/grpc/generated/open_inference_grpc.js';
import {
  ServerReflectionRequest,
  ServerReflectionResponse,
} from '../../../serving/grpc/generated/grpc/reflection/v1/reflection.js';
import { noContents } from '../../../serving/grpc/infer-message.js';
import { exampleRow, type FlightRow } from './flight-rows.js';

/** A request for some rows with typed contents, NaN or an empty string for what is missing. */
export function typedRequest(rows: readonly FlightRow[], change: Partial<ModelInferRequest> = {}): ModelInferRequest {
  const names = Object.keys(exampleRow) as (keyof FlightRow)[];
  const inputs = names.map((name): ModelInferRequest_InferInputTensor => {
    const values = rows.map((row) => row[name]);
    const text = typeof exampleRow[name] === 'string';
    const contents = text
      ? { ...noContents, bytesContents: values.map((value) => Buffer.from(String(value ?? ''))) }
      : { ...noContents, fp32Contents: values.map((value) => (value === null ? NaN : Number(value))) };
    return { name, datatype: text ? 'BYTES' : 'FP32', shape: [rows.length, 1], parameters: {}, contents };
  });
  return {
    modelName: 'flight-delay',
    modelVersion: '',
    id: '',
    parameters: {},
    inputs,
    outputs: [],
    rawInputContents: [],
    ...change,
  };
}

/** The same with raw contents. */
export function rawRequest(rows: readonly FlightRow[], change: Partial<ModelInferRequest> = {}): ModelInferRequest {
  const typed = typedRequest(rows);
  const rawInputContents = typed.inputs.map(({ datatype, contents = noContents }) =>
    datatype === 'BYTES'
      ? Buffer.concat(contents.bytesContents.flatMap((text) => [Buffer.from(Uint32Array.of(text.length).buffer), text]))
      : Buffer.from(Float32Array.from(contents.fp32Contents).buffer),
  );
  return {
    ...typed,
    inputs: typed.inputs.map((input) => ({ ...input, contents: undefined })),
    rawInputContents,
    ...change,
  };
}

export interface Inferred {
  response: ModelInferResponse;
  metadata: Metadata;
}

/** A client of gRPC that sends bytes as they are, wrong ones too. */
export class GrpcClient {
  readonly client: Client;

  constructor(address: string, options: ChannelOptions = {}) {
    this.client = new Client(address, credentials.createInsecure(), {
      'grpc.use_local_subchannel_pool': 1,
      'grpc.max_send_message_length': -1,
      ...options,
    });
  }

  infer(
    request: ModelInferRequest,
    metadata: Record<string, string> = {},
    options: CallOptions = {},
  ): Promise<Inferred> {
    return this.start(request, metadata, options).answer;
  }

  start(request: ModelInferRequest, metadata: Record<string, string> = {}, options: CallOptions = {}) {
    return this.send(Buffer.from(ModelInferRequest.encode(request).finish()), metadata, options);
  }

  send(
    bytes: Buffer,
    metadata: Record<string, string> = {},
    options: CallOptions = {},
  ): { call: ClientUnaryCall; answer: Promise<Inferred> } {
    let call: ClientUnaryCall | undefined;
    const answer = new Promise<Inferred>((resolve, reject) => {
      let received = new Metadata();
      call = this.client.makeUnaryRequest(
        '/inference.GRPCInferenceService/ModelInfer',
        (message: Buffer) => message,
        (message: Buffer) => ModelInferResponse.decode(message),
        bytes,
        Metadata.fromHttp2Headers(metadata),
        options,
        (error, response) =>
          error !== null || response === undefined
            ? reject(error ?? new Error('no answer'))
            : resolve({ response, metadata: received }),
      );
      call.on('metadata', (one: Metadata) => (received = one));
    });
    if (call === undefined) throw new Error('not started');
    return { call, answer };
  }

  /** The names of the services that reflection tells. */
  services(): Promise<string[]> {
    return new Promise((resolve, reject) => {
      const call = this.client.makeBidiStreamRequest(
        '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo',
        (message: ServerReflectionRequest) => Buffer.from(ServerReflectionRequest.encode(message).finish()),
        (message: Buffer) => ServerReflectionResponse.decode(message),
      );
      call.once('error', reject).once('data', ({ messageResponse }: ServerReflectionResponse) => {
        resolve(
          messageResponse?.$case === 'listServicesResponse'
            ? messageResponse.value.service.map(({ name }) => name)
            : [],
        );
        call.end();
      });
      call.write({ host: '', messageRequest: { $case: 'listServices', value: '' } });
    });
  }

  close(): void {
    this.client.close();
  }
}

/** The error with which a call ends. @throws when it is answered. */
export async function failureOf(answer: Promise<unknown>): Promise<ServiceError> {
  try {
    await answer;
  } catch (error) {
    if (error instanceof Error && 'code' in error && 'details' in error) return error as ServiceError;
    throw error;
  }
  throw new Error('the call was answered');
}
