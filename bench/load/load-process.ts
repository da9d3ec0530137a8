import { generateGrpcLoad } from './generate-grpc-load.js';
import { generateLoad } from './generate-load.js';
import type { FromLoad, ToLoad } from './load-messages.js';
import { messageOf } from '../../domain/errors.js';

/** The load generator's program: a process of its own, the same for every server that is measured. */

process.on('disconnect', () => process.exit(0));
process.on('SIGINT', () => undefined);
process.on('message', (message: ToLoad) => {
  if (message.kind === 'stop') process.exit(0);
  const { request } = message;
  (request.grpcMethod === undefined ? generateLoad(request) : generateGrpcLoad(request, request.grpcMethod)).then(
    (result) => say({ kind: 'result', result }),
    (error: unknown) => say({ kind: 'failed', message: messageOf(error) }),
  );
});
say({ kind: 'ready' });

function say(message: FromLoad): void {
  process.send?.(message, undefined, undefined, () => undefined);
}
