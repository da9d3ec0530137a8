import { inject } from 'vitest';
import './forget-own-servers.js';

/** Every integration test file finds the suite's servers in its environment, as any process of the product does. */
Object.assign(process.env, inject('stackEnvironment'));
