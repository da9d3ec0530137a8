import { Metadata, type ServiceDefinition, type UntypedServiceImplementation } from '@grpc/grpc-js';
import { errorTraits, PerdureError } from '../../domain/errors.js';
import { headerText } from '../http/header-text.js';
import type { Caller } from '../inference/inference-service.js';
import { modelMetadata, requestedVersion, serverMetadata } from '../inference/model-metadata.js';
import { waitsUntil } from '../../inference/caller-deadline.js';
import type { ProtocolRoutesDeps } from '../http/protocol-endpoints.js';
import { refuseRepositoryChange, repositoryIndex } from '../inference/repository-index.js';
import * as messages from './generated/open_inference_grpc.js';
import { readInferMessage, writeInferMessage, type InferMessage } from './infer-message.js';
import {
  bytesMethod,
  messageHandler,
  unaryHandler,
  type CallReport,
  type Codec,
  type UnaryCall,
} from './unary-method.js';

const service = 'inference.GRPCInferenceService';

/**
 * `inference.GRPCInferenceService`: the Open Inference Protocol v2 over gRPC, and the model repository extension for
 * reading.
 */
export function inferenceHandlers(
  deps: ProtocolRoutesDeps,
  report: CallReport,
): { definition: ServiceDefinition; handlers: UntypedServiceImplementation } {
  const { service: inference, table, productVersion, isReady } = deps;
  const definition: Record<string, ReturnType<typeof bytesMethod>> = {};
  const handlers: UntypedServiceImplementation = {};
  const method = <Request, Response>(
    name: string,
    codecs: readonly [Codec<Request>, Codec<Response>],
    work: (message: Request) => Response,
  ) => {
    const path = `/${service}/${name}`;
    definition[name] = bytesMethod(path);
    handlers[name] = messageHandler(report, path, codecs, work);
  };

  method('ServerLive', [messages.ServerLiveRequest, messages.ServerLiveResponse], () => ({ live: true }));
  method('ServerReady', [messages.ServerReadyRequest, messages.ServerReadyResponse], () => ({ ready: isReady() }));
  method('ModelReady', [messages.ModelReadyRequest, messages.ModelReadyResponse], ({ name, version }) => ({
    ready: isServed(() => inference.notReadyBecause(name, requestedVersion(name, version))),
  }));
  method('ServerMetadata', [messages.ServerMetadataRequest, messages.ServerMetadataResponse], () =>
    serverMetadata(productVersion),
  );
  method(
    'ModelMetadata',
    [messages.ModelMetadataRequest, messages.ModelMetadataResponse],
    ({ name, version: asked }) => {
      const version = requestedVersion(name, asked);
      return { ...modelMetadata(inference.versionOf(name, version), table, version), properties: {} };
    },
  );
  method('RepositoryIndex', [messages.RepositoryIndexRequest, messages.RepositoryIndexResponse], (asked) => ({
    models: repositoryIndex(deps, asked),
  }));
  method(
    'RepositoryModelLoad',
    [messages.RepositoryModelLoadRequest, messages.RepositoryModelLoadResponse],
    ({ modelName }) => {
      throw refuseRepositoryChange(modelName, 'load');
    },
  );
  method(
    'RepositoryModelUnload',
    [messages.RepositoryModelUnloadRequest, messages.RepositoryModelUnloadResponse],
    ({ modelName }) => {
      throw refuseRepositoryChange(modelName, 'unload');
    },
  );

  const inferPath = `/${service}/ModelInfer`;
  definition['ModelInfer'] = bytesMethod(inferPath);
  handlers['ModelInfer'] = unaryHandler(report, inferPath, async (bytes, call) => {
    const receivedAt = performance.now();
    const message = readInferMessage(bytes);
    const served = await inference.infer(message.model, message.request, callerOf(call, message, receivedAt));
    const { predictionId, version, epoch } = served;
    const metadata = new Metadata();
    metadata.set('x-perdure-prediction-id', predictionId);
    metadata.set('x-perdure-epoch', String(epoch));
    call.sendMetadata(metadata);
    return writeInferMessage(message, version, message.request.id ?? predictionId, served);
  });
  return { definition, handlers };
}

/** Who asks, and how long they wait. */
function callerOf(call: UnaryCall, { model, version, request }: InferMessage, receivedAt: number): Caller {
  const deadline = Number(call.getDeadline());
  return {
    key: metadataValue(call.metadata, 'x-perdure-key'),
    version: requestedVersion(model, version),
    receivedAt,
    header: (name) => metadataValue(call.metadata, name),
    callerDeadline: {
      until: waitsUntil(receivedAt, Number.isFinite(deadline) ? deadline - Date.now() : undefined, request.timeoutMs),
      hasLeft: () => call.cancelled,
    },
  };
}

function metadataValue(metadata: Metadata, name: string): string | undefined {
  // Clients send what is not ASCII as bytes, under a name that says so.
  const value = metadata.get(name)[0] ?? metadata.get(`${name}-bin`)[0];
  return value === undefined || value.length === 0 ? undefined : headerText(name, value);
}

/** A model that is not there is not ready, as Triton and MLServer see it; what else is wrong is still said. */
function isServed(notReadyBecause: () => string | undefined): boolean {
  try {
    return notReadyBecause() === undefined;
  } catch (error) {
    if (error instanceof PerdureError && errorTraits(error.code).httpStatus === 404) return false;
    throw error;
  }
}
