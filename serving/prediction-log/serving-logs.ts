import path from 'node:path';
import type { Logger } from 'pino';
import type { Environment } from '../../domain/names.js';
import type { GatewayEvents } from '../telemetry/gateway-events.js';
import type { GatewayLimits } from '../gateway-limits.js';
import type { GatewayMetrics } from '../telemetry/gateway-metrics.js';
import type { ShipperOptions } from './shipper-messages.js';
import { setAsideSuffix, Spool } from './spool.js';
import { SpoolShipper } from './spool-shipper.js';

export interface ServingLogsOptions {
  home: string;
  bootId: string;
  environment: Environment;
  /** Undefined: logs stay in the spool. */
  objectStore: ShipperOptions['store'] | undefined;
  limits: GatewayLimits;
  metrics: GatewayMetrics;
  events: Pick<GatewayEvents, 'record'>;
  log: Logger;
}

/** How often lines in memory go to disk: what a kill -9 may cost of the prediction log. */
const flushEveryMs = 100;
const shipEveryMs = 500;

/** The prediction log and the labels: two spools and the process that ships them. */
export class ServingLogs {
  /** May drop its oldest segments when the object store stays away too long. */
  readonly predictions: Spool;
  /** Was promised to callers: refuses new ones instead. */
  readonly labels: Spool;
  readonly folders: Record<'predictions' | 'labels', string>;
  private readonly shipper: SpoolShipper | undefined;
  private connected = false;

  constructor({ home, bootId, environment, objectStore, limits, metrics, events, log }: ServingLogsOptions) {
    this.folders = { predictions: path.join(home, 'spool', 'predictions'), labels: path.join(home, 'spool', 'labels') };
    const spool = (name: 'predictions' | 'labels', whenFull: 'drop-oldest' | 'refuse') =>
      new Spool({
        folder: this.folders[name],
        bootId,
        segmentBytesMax: limits.segmentBytesMax,
        segmentAgeMaxMs: limits.segmentAgeMaxMs,
        bytesMax: limits.spoolBytesMax,
        whenFull,
        flushEveryMs,
        observer: {
          bytes: (bytes) => metrics.spoolBytes.set({ log: name }, bytes),
          lost: (lines, reason) => metrics.rowsLost.inc({ log: name, reason }, lines),
          writing: (model, problem) => {
            metrics.spoolWritable.set({ log: name }, this[name].status().writable ? 1 : 0);
            const what =
              name === 'labels' ? 'labels are refused' : 'predictions continue to be served, but are not logged';
            const message =
              problem === undefined
                ? `The disk accepts its ${name} again.`
                : `The disk does not accept its ${name}, so ${what}: ${problem}.`;
            events.record({ model, version: null, kind: problem === undefined ? 'log-kept' : 'log-lost', message });
          },
        },
      });
    this.predictions = spool('predictions', 'drop-oldest');
    this.labels = spool('labels', 'refuse');
    if (objectStore === undefined) return;
    this.shipper = new SpoolShipper(
      {
        environment,
        spools: this.folders,
        workFolder: path.join(home, 'shipping'),
        everyMs: shipEveryMs,
        store: objectStore,
      },
      {
        shipped: ({ log: name, file, rows, torn, damaged }) => {
          this[name].forget(file);
          metrics.rowsShipped.inc({ log: name }, rows);
          if (damaged > 0) {
            metrics.rowsLost.inc({ log: name, reason: 'damaged' }, damaged);
            log.error(
              { log: name, rows: damaged, file: `${file}${setAsideSuffix}` },
              'lines that cannot be stored are set aside',
            );
          }
          if (torn > 0) metrics.rowsLost.inc({ log: name, reason: 'torn' }, torn);
        },
        connected: (connected) => {
          this.connected = connected;
          metrics.connected.set({ system: 's3' }, connected ? 1 : 0);
        },
      },
      log,
    );
  }

  /** Opens the spools: from now on lines can be written. */
  async start(): Promise<void> {
    await Promise.all([this.predictions.start(), this.labels.start()]);
  }

  /**
   * Starts the process that ships them; it takes the processor for a second, so it comes after everything that answers
   * requests.
   */
  ship(): void {
    this.shipper?.start();
  }

  /** Everything that was logged is on disk when the promise ends; the next start ships what was not. */
  async stop(): Promise<void> {
    await Promise.all([this.predictions.close(), this.labels.close()]);
    this.shipper?.stop();
  }

  status(): {
    objectStore: { connected: boolean; lastError: string | null };
    spool: Record<'predictions' | 'labels', ReturnType<Spool['status']>>;
  } {
    return {
      objectStore: { connected: this.connected, lastError: this.shipper?.lastError ?? null },
      spool: { predictions: this.predictions.status(), labels: this.labels.status() },
    };
  }
}
