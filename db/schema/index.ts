export * from './data.js';
export * from './definitions.js';
export * from './gateways.js';
export * from './promotions.js';
export * from './routes.js';
export * from './runs.js';
