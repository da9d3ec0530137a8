import type { ObjectStore } from '../adapters/object-store/object-store.js';
import type { Environments } from '../domain/promotion/environments.js';
import type { Floors } from '../domain/promotion/floor.js';
import type { Database } from '../db/connect.js';
import type { ModelDefinition } from '../domain/model/model-definition.js';
import type { ScheduleChange } from '../client/http/apply.js';
import type { StackIdentity } from '../domain/stack-identity.js';
import type { OpenWork } from '../oversight/open-work.js';
import type { TemporalTarget } from '../client/temporal-target.js';
import type { ScheduleState } from '../client/triggers/schedule-state.js';
import type { DecisionSender } from './promotion/decision-sender.js';

/** Everything outside the process that the API talks to. */
export interface ApiDeps {
  db: Database;
  objects: LakeStore;
  schedules: ModelSchedules;
  decisions: DecisionSender;
  /** Which stack this API belongs to; undefined outside one. */
  stack?: StackIdentity | undefined;
  /** Who has which role. */
  accessFile: string;
  temporalPlace(): Promise<TemporalTarget>;
  /** What waits and what is stuck: may take many seconds. */
  openWork(): Promise<OpenWork>;
  /** In the order in which a version goes through them. */
  environments: Environments;
  /** What environments ask of every definition, as it stands now. */
  floors(): Promise<Floors>;
  /** Resolves when Temporal answers. */
  pingTemporal(): Promise<void>;
  /** Where uploads are held until they are known to be whole. */
  uploadFolder: string;
  uploadBytesMax: number;
  /** Beside those of the loopback interface; none by default. */
  knownNames?: readonly string[];
}

/** What the API asks of the object store. */
export type LakeStore = Pick<ObjectStore, 'list' | 'folders' | 'head' | 'put' | 'delete' | 'get' | 'ping'>;

export interface ScheduleChanges {
  created: ScheduleChange[];
  changed: ScheduleChange[];
  removed: ScheduleChange[];
  unchanged: ScheduleChange[];
}

/** The Temporal Schedules of all models. */
export interface ModelSchedules {
  /** What Temporal knows of each of these schedules of a model; undefined for one that it does not have. */
  states(model: string, names: readonly string[]): Promise<(ScheduleState | undefined)[]>;
  /**
   * Checks every cron expression, then says what would change so that these models have exactly their definitions'
   * schedules, and retired ones none. What `apply` gives puts them back as they were.
   */
  plan(
    definitions: readonly ModelDefinition[],
    retired: readonly string[],
  ): Promise<{ changes: ScheduleChanges; apply(): Promise<() => Promise<void>> }>;
}
