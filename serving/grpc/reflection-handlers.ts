import {
  status,
  type ServerDuplexStream,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { readFileSync } from 'node:fs';
import { createFileRegistry, fromBinary, toBinary, type FileRegistry } from '@bufbuild/protobuf';
import { FileDescriptorProtoSchema, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';
import { ServerReflectionRequest, ServerReflectionResponse } from './generated/grpc/reflection/v1/reflection.js';
import { bytesMethod, encoded } from './unary-method.js';

type Answer = NonNullable<ServerReflectionResponse['messageResponse']>;

/** Both names of server reflection; their messages are the same on the wire. */
const paths = ['v1', 'v1alpha'].map((version) => `/grpc.reflection.${version}.ServerReflection/ServerReflectionInfo`);

/** `grpc.reflection`, so that tools such as grpcurl need no .proto files. */
export function reflectionHandlers(): { definition: ServiceDefinition; handlers: UntypedServiceImplementation }[] {
  let loaded: FileRegistry | undefined;
  const registry = () =>
    (loaded ??= createFileRegistry(
      fromBinary(FileDescriptorSetSchema, readFileSync(new URL('./generated/descriptors.binpb', import.meta.url))),
    ));
  const handler = (call: ServerDuplexStream<Buffer, Buffer>) => {
    call.on('data', (bytes: Buffer) => {
      try {
        const originalRequest = ServerReflectionRequest.decode(bytes);
        const messageResponse = answerTo(registry(), originalRequest);
        call.write(
          encoded(ServerReflectionResponse, { validHost: originalRequest.host, originalRequest, messageResponse }),
        );
      } catch {
        call.emit('error', { code: status.INVALID_ARGUMENT, details: 'The message is not a ServerReflectionRequest.' });
      }
    });
    call.on('end', () => call.end());
    call.on('error', () => undefined);
  };
  return paths.map((path) => ({
    definition: { ServerReflectionInfo: bytesMethod(path, { request: true, response: true }) },
    handlers: { ServerReflectionInfo: handler },
  }));
}

function answerTo(registry: FileRegistry, { messageRequest: asked }: ServerReflectionRequest): Answer {
  switch (asked?.$case) {
    case 'listServices':
      return { $case: 'listServicesResponse', value: { service: serviceNames(registry).map((name) => ({ name })) } };
    case 'fileByFilename':
      return fileOf(registry.getFile(asked.value), asked.value);
    case 'fileContainingSymbol':
      return fileOf(fileWith(registry, asked.value), asked.value);
    case 'fileContainingExtension':
    case 'allExtensionNumbersOfType':
    case undefined:
      return notFound('There are no extensions here.');
  }
}

function serviceNames(registry: FileRegistry): string[] {
  return [...registry.files].flatMap((file) => file.services.map((service) => service.typeName)).sort();
}

/** The file that declares a type or service; a method or field belongs to what stands before its last dot. */
function fileWith(registry: FileRegistry, symbol: string): ReturnType<FileRegistry['getFile']> {
  const found = registry.get(symbol) ?? registry.get(symbol.slice(0, Math.max(0, symbol.lastIndexOf('.'))));
  return found?.file;
}

function fileOf(file: ReturnType<FileRegistry['getFile']>, asked: string): Answer {
  if (file === undefined) return notFound(`There is no ${JSON.stringify(asked.slice(0, 200))} here.`);
  // None of the files imports another, so that one is all a client needs.
  const bytes = Buffer.from(toBinary(FileDescriptorProtoSchema, file.proto));
  return { $case: 'fileDescriptorResponse', value: { fileDescriptorProto: [bytes] } };
}

function notFound(errorMessage: string): Answer {
  return { $case: 'errorResponse', value: { errorCode: status.NOT_FOUND, errorMessage } };
}
