import { withoutOwnServers } from './own-servers.js';

const kept = withoutOwnServers(process.env);
for (const name of Object.keys(process.env)) if (!(name in kept)) delete process.env[name];
