import { collectDefaultMetrics, Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { Environment } from '../../domain/names.js';
import { latencyBoundsMs } from '../../domain/serving/serving-window.js';
import type { EngineModelStatus } from '../../inference/inference-engine.js';
import type { LoadedVersion, ShadowOutcome, VersionMeters } from '../routing/loaded-version.js';
import { labelsOfKey } from '../routing/route-table.js';
import { VersionSeries } from './version-series.js';

/** The gateway's metrics: few labels, all of them bounded by what routes name. */
export class GatewayMetrics {
  readonly registry = new Registry();
  private readonly series = new VersionSeries();
  private readonly requests: Counter<'model' | 'version' | 'outcome'>;
  private readonly acceptedFeatures: Counter<'model' | 'feature' | 'overdue'>;
  private readonly latency: Histogram<'model' | 'version'>;
  private readonly shadowCopies: Counter<'model' | 'version' | 'outcome'>;
  readonly refused: Counter<'status'>;
  readonly batchRows: Histogram<'model' | 'version'>;
  readonly queued: Gauge<'model' | 'version'>;
  readonly restarts: Counter<'model' | 'version'>;
  readonly events: Counter<'model' | 'version' | 'kind'>;
  readonly unseenLevels: Gauge<'model' | 'version' | 'feature'>;
  readonly routeEpoch: Gauge<'model'>;
  readonly loadSeconds: Gauge<'model' | 'version'>;
  readonly routesUnconfirmed: Gauge;
  readonly routeErrors: Counter<'model'>;
  readonly connected: Gauge<'system'>;
  readonly spoolBytes: Gauge<'log'>;
  readonly spoolWritable: Gauge<'log'>;
  readonly rowsShipped: Counter<'log'>;
  readonly rowsLost: Counter<'log' | 'reason'>;
  readonly windowsPending: Gauge;
  readonly bodyBytes: Gauge;

  constructor(environment: Environment) {
    const registers = [this.registry];
    this.registry.setDefaultLabels({ environment });
    collectDefaultMetrics({ register: this.registry, prefix: 'perdure_gateway_' });
    const counter = <T extends string>(name: string, help: string, labelNames: T[]) =>
      new Counter({ name: `perdure_gateway_${name}`, help, labelNames, registers });
    const gauge = <T extends string>(name: string, help: string, labelNames: T[]) =>
      new Gauge({ name: `perdure_gateway_${name}`, help, labelNames, registers });
    this.requests = counter(
      'requests_total',
      'Valid inference requests, by outcome: answered, failed, or given up by the caller.',
      ['model', 'version', 'outcome'],
    );
    this.shadowCopies = counter(
      'shadow_copies_total',
      'Copies of requests for a shadow, by outcome: answered, failed, refused by its contract, or dropped ' +
        'for lack of room.',
      ['model', 'version', 'outcome'],
    );
    this.acceptedFeatures = counter(
      'accepted_features_total',
      'Requests with a feature that the model no longer uses, by whether the day is past until which callers ' +
        'may send it.',
      ['model', 'feature', 'overdue'],
    );
    this.refused = counter('refused_total', 'Requests refused as invalid, by HTTP status.', ['status']);
    this.latency = new Histogram({
      name: 'perdure_gateway_latency_seconds',
      help: 'Time from the whole request to its answer.',
      labelNames: ['model', 'version'],
      buckets: latencyBoundsMs.map((bound) => bound / 1000),
      registers,
    });
    this.batchRows = new Histogram({
      name: 'perdure_gateway_batch_rows',
      help: 'Rows of each batch sent to a model.',
      labelNames: ['model', 'version'],
      buckets: [1, 2, 4, 8, 16, 32, 64, 256, 1024, 10_000],
      registers,
    });
    this.queued = gauge('queued_requests', 'Requests waiting for a model.', ['model', 'version']);
    this.restarts = counter('model_restarts_total', 'Restarts of model processes.', ['model', 'version']);
    this.events = counter('events_total', 'What happened to versions and models, by kind; see the serving guide.', [
      'model',
      'version',
      'kind',
    ]);
    this.unseenLevels = gauge(
      'unseen_levels',
      'Levels served that the contract does not list, since the version was loaded.',
      ['model', 'version', 'feature'],
    );
    this.routeEpoch = gauge('route_epoch', 'Epoch of the route in force.', ['model']);
    this.loadSeconds = gauge('model_load_seconds', 'Time to load and warm a version.', ['model', 'version']);
    this.routesUnconfirmed = gauge(
      'routes_unconfirmed',
      'Models served although the database has no route for them.',
      [],
    );
    this.routeErrors = counter('route_errors_total', 'Routes that could not be put in force.', ['model']);
    this.connected = gauge('connected', 'Whether the last call to a system succeeded: 1 or 0.', ['system']);
    this.spoolBytes = gauge('spool_bytes', 'Bytes on disk that are not in the object store yet.', ['log']);
    this.spoolWritable = gauge('spool_writable', 'Whether the disk accepts writes: 1 or 0.', ['log']);
    this.rowsShipped = counter('spool_rows_shipped_total', 'Rows that are in the object store.', ['log']);
    this.rowsLost = counter('spool_rows_lost_total', 'Rows lost, by reason: full, torn, unwritten, damaged.', [
      'log',
      'reason',
    ]);
    this.bodyBytes = gauge('body_bytes', 'Bytes of request bodies that are held, over both protocols.', []);
    this.windowsPending = gauge('serving_windows_pending', 'Serving windows that Postgres has not taken yet.', []);
    for (const metric of [
      ...[this.requests, this.shadowCopies, this.acceptedFeatures, this.latency, this.batchRows, this.queued],
      ...[this.restarts, this.events, this.unseenLevels, this.routeEpoch, this.loadSeconds, this.routeErrors],
    ])
      this.series.add(metric);
  }

  versionMeters(model: string, version: number): VersionMeters {
    const labels = { model, version: String(version) };
    const answered = this.requests.labels({ ...labels, outcome: 'answered' });
    const failed = this.requests.labels({ ...labels, outcome: 'failed' });
    const givenUp = this.requests.labels({ ...labels, outcome: 'given-up' });
    const latency = this.latency.labels(labels);
    const copies = this.shadowCopies;
    const accepted = this.acceptedFeatures;
    return {
      answered: (latencyMs) => {
        answered.inc();
        latency.observe(latencyMs / 1000);
      },
      failed: () => failed.inc(),
      givenUp: () => givenUp.inc(),
      shadow: (outcome: ShadowOutcome) => copies.inc({ ...labels, outcome }),
      accepted: (feature, until) =>
        accepted.inc({ model, feature, overdue: String(new Date().toISOString().slice(0, 10) > until) }),
    };
  }

  /** Brings those gauges up to date that are read rather than counted. */
  read(versions: readonly LoadedVersion[], models: readonly EngineModelStatus[]): void {
    for (const { key, queuedRequests } of models) this.queued.set(labelsOfKey(key), queuedRequests);
    for (const { key, compiled, loadMs } of versions) {
      this.loadSeconds.set(labelsOfKey(key), loadMs / 1000);
      for (const { name, unseenLevels } of compiled.features) {
        if (unseenLevels > 0) this.unseenLevels.set({ ...labelsOfKey(key), feature: name }, unseenLevels);
      }
    }
  }

  /** Ends the series of models and versions that nothing names, once their last counts were scraped. */
  removeUnnamed(isNamed: (model: string, version: number | undefined) => boolean): Promise<void> {
    return this.series.removeUnnamed(isNamed);
  }

  /** Ends the series of a version that is no longer loaded. */
  forgetVersion(model: string, version: number): Promise<void> {
    return this.series.removeVersion(model, version);
  }
}
