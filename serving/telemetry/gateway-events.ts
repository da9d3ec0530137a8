import type { Logger } from 'pino';
import type { GatewayEvent } from '../../domain/serving/gateway-event.js';
import type { RoutedVersion } from '../routing/active-route.js';
import type { GatewayMetrics } from './gateway-metrics.js';

export interface GatewayEventsOptions {
  gateway: Pick<GatewayEvent, 'gatewayId' | 'environment'> & { bootId: string };
  metrics: Pick<GatewayMetrics, 'events'>;
  log: Logger;
}

/** Events that wait in memory at most while Postgres is away; the log has those that had to go. */
const pendingMax = 200;

/** What happened that a person should know: logged and counted at once, and offered to Postgres until it takes it. */
export class GatewayEvents {
  private pending: GatewayEvent[] = [];
  private number = 0;
  private flushing: Promise<void> = Promise.resolve();
  /**
   * Refusals of late, so that a route that is tried again and again, or a request that is sent again and again, tells
   * it once.
   */
  private readonly told = new Set<string>();

  constructor(private readonly options: GatewayEventsOptions) {}

  record(event: Pick<GatewayEvent, 'model' | 'version' | 'kind' | 'message'>): void {
    const { gateway, metrics, log } = this.options;
    const { model, version, kind, message } = event;
    if (kind === 'refused' || kind === 'contract-broken') {
      const told = `${model}@${version} ${kind} ${message}`;
      if (this.told.has(told)) return;
      if (this.told.size >= pendingMax) this.told.clear();
      this.told.add(told);
    }
    const good = kind === 'back-in-service' || kind === 'log-kept' || kind === 'let-go';
    log[good ? 'info' : 'error'](
      { model, version, reason: message },
      `${version === null ? model : 'version'} ${kind.replaceAll('-', ' ')}`,
    );
    metrics.events.inc({ model, version: version === null ? '' : String(version), kind });
    this.number += 1;
    const { bootId, gatewayId, environment } = gateway;
    this.pending.push({
      id: `${gatewayId}/${bootId}/e${this.number}`,
      gatewayId,
      environment,
      ...event,
      at: new Date().toISOString(),
    });
    if (this.pending.length > pendingMax) this.pending.shift();
  }

  /** A version refuses what callers were promised. What the caller sent is not repeated. */
  recordRefusal({ loaded, epoch }: Pick<RoutedVersion, 'loaded' | 'epoch'>, refusal: Error): void {
    const { model, version } = loaded.served;
    const why = refusal.message.replace(/, row \d+: .*/s, ': a value is not accepted.');
    const message =
      `Under epoch ${epoch} it refuses requests that its route accepts; the incumbent answers them. ` + why;
    this.record({ model, version, kind: 'contract-broken', message });
  }

  get pendingCount(): number {
    return this.pending.length;
  }

  /**
   * Hands events to `insert`, which takes each id once. After a failure they are offered again next time.
   * @throws what `insert` throws.
   */
  flush(insert: (events: readonly GatewayEvent[]) => Promise<void>): Promise<void> {
    const flushed = this.flushing.then(async () => {
      const offered = [...this.pending];
      if (offered.length === 0) return;
      await insert(offered);
      this.pending = this.pending.filter((event) => !offered.includes(event));
    });
    this.flushing = flushed.catch(() => undefined);
    return flushed;
  }
}
