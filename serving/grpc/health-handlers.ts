import {
  status,
  type ServerWritableStream,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import {
  HealthCheckRequest,
  HealthCheckResponse,
  HealthCheckResponse_ServingStatus as ServingStatus,
  HealthListRequest,
  HealthListResponse,
} from './generated/grpc/health/v1/health.js';
import { bytesMethod, encoded, messageHandler, type CallReport } from './unary-method.js';
import { PerdureError } from '../../domain/errors.js';

type Watch = ServerWritableStream<Buffer, Buffer>;

/** How soon a watcher hears of a change. */
const lookEveryMs = 100;

/** The whole server goes by the empty name. */
const services = ['', 'inference.GRPCInferenceService'];

/** `grpc.health.v1.Health`, for load balancers and Kubernetes probes: serving while the gateway is ready. */
export class HealthHandlers {
  readonly definition: ServiceDefinition = {
    Check: bytesMethod('/grpc.health.v1.Health/Check'),
    List: bytesMethod('/grpc.health.v1.Health/List'),
    Watch: bytesMethod('/grpc.health.v1.Health/Watch', { response: true }),
  };
  readonly handlers: UntypedServiceImplementation;
  private readonly watchers = new Map<Watch, { service: string; last: ServingStatus | undefined }>();
  private readonly timer: NodeJS.Timeout;

  constructor(
    private readonly isReady: () => boolean,
    report: CallReport,
  ) {
    this.handlers = {
      Check: messageHandler(
        report,
        '/grpc.health.v1.Health/Check',
        [HealthCheckRequest, HealthCheckResponse],
        ({ service }) => {
          const found = this.statusOf(service);
          if (found === ServingStatus.SERVICE_UNKNOWN)
            throw new PerdureError('not-found', `Unknown service ${JSON.stringify(service.slice(0, 100))}.`);
          return { status: found };
        },
      ),
      List: messageHandler(report, '/grpc.health.v1.Health/List', [HealthListRequest, HealthListResponse], () => ({
        statuses: Object.fromEntries(services.map((service) => [service, { status: this.statusOf(service) }])),
      })),
      Watch: (call: Watch) => this.watch(call),
    };
    this.timer = setInterval(() => this.tell(), lookEveryMs).unref();
  }

  /** Tells every watcher the last of it and lets go of them: an open watch would hold up the server's end. */
  stop(): void {
    clearInterval(this.timer);
    this.tell();
    for (const call of this.watchers.keys()) call.end();
    this.watchers.clear();
  }

  private statusOf(service: string): ServingStatus {
    if (!services.includes(service)) return ServingStatus.SERVICE_UNKNOWN;
    return this.isReady() ? ServingStatus.SERVING : ServingStatus.NOT_SERVING;
  }

  private watch(call: Watch): void {
    try {
      const { service } = HealthCheckRequest.decode(call.request);
      this.watchers.set(call, { service, last: undefined });
    } catch {
      call.emit('error', { code: status.INVALID_ARGUMENT, details: 'The message is not a HealthCheckRequest.' });
      return;
    }
    call.on('cancelled', () => this.watchers.delete(call));
    this.tell();
  }

  private tell(): void {
    for (const [call, watcher] of this.watchers) {
      const now = this.statusOf(watcher.service);
      if (now === watcher.last) continue;
      watcher.last = now;
      call.write(encoded(HealthCheckResponse, { status: now }));
    }
  }
}
