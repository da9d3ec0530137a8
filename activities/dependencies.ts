import type { Client } from '@temporalio/client';
import type { FileCache } from '../adapters/file-cache.js';
import type { ObjectStore } from '../adapters/object-store.js';
import type { Database } from '../db/connect.js';
import type { PerdureConfig } from '../perdure.config.js';

/** What activities are made with, once per worker process. */
export interface ActivityDependencies {
  db: Database;
  store: ObjectStore;
  cache: FileCache;
  temporal: Client;
  config: PerdureConfig;
}
