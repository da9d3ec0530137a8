import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';

const projectRoot = fileURLToPath(new URL('../../../', import.meta.url));

describe('folder zones', () => {
  const folder = mkdtempSync(path.join(tmpdir(), 'perdure-zones-'));
  afterAll(() => rmSync(folder, { recursive: true }));
  for (const file of ['oxlint.config.mjs', 'package.json'])
    cpSync(path.join(projectRoot, file), path.join(folder, file));

  const lint = (file: string, statement: string): string => {
    const target = path.join(folder, file);
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, `${statement}\n`);
    return spawnSync(path.join(projectRoot, 'node_modules/.bin/oxlint'), ['--config', 'oxlint.config.mjs', file], {
      cwd: folder,
      encoding: 'utf8',
    }).stdout;
  };

  it.each([
    ['domain/a.ts', "export { x } from '../db/x.js';", 'domain/ is pure'],
    ['domain/deep/a.ts', "export { readFileSync } from 'node:fs';", 'domain/ is pure'],
    ['domain/a.ts', "export { Client } from '@temporalio/client';", 'domain/ is pure'],
    ['models/m/model.ts', "export { x } from '../../client/x.js';", 'models/ is what a team edits'],
    ['workflows/a.ts', "import { x } from '../activities/x.js';\nx();", 'workflows/ run in'],
    ['workflows/a.ts', "export { x } from '../client/x.js';", 'workflows/ run in'],
    ['adapters/a.ts', "export { x } from '../db/x.js';", 'adapters/ wrap'],
    ['db/serving/a.ts', "export { x } from '../../serving/x.js';", 'db/ holds'],
    ['domain/rollout/judge/a.ts', "export { x } from '../../../serving/x.js';", 'domain/ is pure'],
    ['inference/a.ts', "export { x } from '../serving/x.js';", 'inference/ reads contracts'],
    ['db/schema/a.ts', "export { x } from '../../adapters/x.js';", 'db/ holds'],
    ['client/a.ts', "export { x } from '../db/x.js';", 'client/ is a small library'],
    ['activities/a.ts', "export { x } from '../workers/x.js';", 'activities/ are side effects'],
    ['serving/a.ts', "export { x } from '../client/x.js';", 'serving/ is the data plane'],
    ['api/a.ts', "export { x } from '../serving/x.js';", 'api/ is the control plane'],
    ['cli/a.ts', "export { x } from '../db/x.js';", 'cli/ is a client'],
    ['infra/a.ts', "export { x } from '../api/x.js';", 'infra/ starts'],
    ['infra/embedded/a.ts', "export { x } from '../../models/m/model.js';", 'infra/ starts'],
    ['workers/a.ts', "export { x } from '../infra/main.js';", 'entry file'],
  ])('%s may not say %s', (file, statement, reason) => {
    expect(lint(file, statement)).toContain(reason);
  });

  it.each([
    ['domain/a.ts', "export { z } from 'zod';"],
    ['domain/deep/a.ts', "export { x } from '../x.js';"],
    ['domain/rollout/judge/a.ts', "export { x } from '../../serving/x.js';"],
    ['serving/inference/a.ts', "export { x } from '../../inference/x.js';"],
    ['activities/evaluation/a.ts', "export { x } from '../../inference/x.js';"],
    ['workflows/a.ts', "import type { X } from '../activities/x.js';\nexport type Y = X;"],
    ['db/a.ts', "export { sql } from 'drizzle-orm';"],
    ['api/a.ts', "export { x } from '../adapters/x.js';"],
    ['client/a.ts', "export { x } from '../temporal.config.js';"],
    ['infra/main-job/a.ts', "export { x } from '../../client/x.js';"],
  ])('%s may say %s', (file, statement) => {
    expect(lint(file, statement)).not.toContain('no-restricted-imports');
  });
});
