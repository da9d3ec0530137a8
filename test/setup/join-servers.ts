import { inject } from 'vitest';
import './forget-own-servers.js';

/**
 * Every integration test file finds the servers of its worker in its environment, as any process of the product does.
 */
const sets = inject('serversOfWorkers');
const worker = Number(process.env.VITEST_POOL_ID ?? 1);
Object.assign(process.env, sets[worker - 1] ?? sets[0]);
