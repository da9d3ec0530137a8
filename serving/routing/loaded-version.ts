import type { MonitoringPolicy } from '../../domain/monitoring/monitoring-policy.js';
import type { Contract } from '../../domain/data/contract.js';
import type { ReadLabel } from '../../domain/serving/received-label.js';
import type { ServedVersion } from '../../domain/serving/route.js';
import type { AnswerShape } from '../protocol/answer-shape.js';
import type { CompiledContract } from '../../inference/compiled-contract.js';

/** A copy was answered; the model failed; the contract refused it; there was no room for it. */
export type ShadowOutcome = 'answered' | 'failed' | 'refused' | 'dropped';

/** A version's metrics with their labels bound, so that a request looks nothing up. */
export interface VersionMeters {
  answered: (latencyMs: number) => void;
  failed: () => void;
  /** The caller left, or its own deadline passed: nobody's failure. */
  givenUp: () => void;
  /** What became of a copy of a request for this version as a shadow. */
  shadow: (outcome: ShadowOutcome) => void;
  /** A request carried what the model no longer uses, and callers were to stop sending after `until`, a day. */
  accepted: (feature: string, until: string) => void;
}

/** A version that is loaded and answers. */
export interface LoadedVersion {
  served: ServedVersion;
  /** Its name in the engine. */
  key: string;
  contract: Contract;
  monitoring: MonitoringPolicy;
  compiled: CompiledContract;
  /** How labels of its predictions are read. */
  readLabel: (value: unknown) => ReadLabel;
  /** What its answers look like. */
  shape: AnswerShape;
  /** Of the contract alone: where it is the same, rows read for one version serve another. */
  contractSha256: string;
  meters: VersionMeters;
  loadMs: number;
  loadedAt: string;
  /** Milliseconds of the monotonic clock at which it was ready. */
  readyAt: number;
  /** Milliseconds of the monotonic clock at which no route named it any more; undefined while one does. */
  idleSince: number | undefined;
  /** Routes on their way into force that need it. */
  holds: number;
}
