import type { Client } from '@temporalio/client';
import type { FloorsSource } from '../adapters/floors-file.js';
import type { FileCache } from '../adapters/verified-file-cache.js';
import type { ObjectStore } from '../adapters/object-store/object-store.js';
import type { Environments } from '../domain/promotion/environments.js';
import type { TrainingLimits } from '../domain/training/training-limits.js';
import type { DecisionTrust } from '../domain/decision-trust.js';
import type { Database } from '../db/connect.js';

/** What activities are made with, once per worker process. */
export interface ActivityDependencies {
  db: Database;
  store: ObjectStore;
  cache: FileCache;
  temporal: Client;
  config: {
    /** Absolute path of the checkout: trainers are found there. */
    projectRoot: string;
    /** Absolute path of the state folder. */
    home: string;
    /** Absolute path of the file that says who has which role. */
    accessFile: string;
    /** How many runs of one model may go on at a time, and how high a priority a definition may state. */
    training: TrainingLimits;
    /** In the order in which a version goes through them. */
    environments: Environments;
    /** What environments ask of every definition. */
    floors: FloorsSource;
    /** Whose word is taken for who decided, and the public keys that signatures are checked with. */
    decisions: { trust: DecisionTrust; verifyingKeysFile: string | undefined };
  };
}
