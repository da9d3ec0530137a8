import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { wantedGateways } from '../../../adapters/wanted-gateways.js';
import { recordGateway } from '../../../db/serving/gateway-queries.js';
import { digestOf } from '../../../domain/canonical-json.js';
import { changeFacts } from '../../support/test-database.js';
import { pollUntil } from '../../support/poll-until.js';
import { ownDefinition, startApi, type TestApi } from './start-api.js';

let running: TestApi;
let home: string;
beforeAll(async () => {
  home = await mkdtemp(path.join(tmpdir(), 'perdure-environments-'));
  running = await startApi({ stack: { id: 'stack-1', home } });
});
afterAll(async () => {
  await running.close();
  await rm(home, { recursive: true, force: true });
});

const actor = 'ada@example.org';
const into = (environments: string[]) => {
  const own = ownDefinition();
  return { ...own, promotion: { ...own.promotion, environments } };
};

describe('a request that names an environment', () => {
  test('that is not listed is refused with those that are, in a query and in a body', async () => {
    const known = 'there is no environment produktion: perdure.config.ts lists development, staging, production';
    const { app } = running;
    for (const url of ['/promotions', '/rollouts', '/routes', '/models/a/routes'])
      expect((await app.inject({ url: `/api/v1${url}?environment=produktion` })).json()).toMatchObject({
        error: { code: 'input/invalid', message: `environment: ${known}.` },
      });
    const body = { environment: 'produktion', actor, reason: 'tidy' };
    const answer = await app.inject({ method: 'POST', url: '/api/v1/models/a/retire', payload: body });
    expect(answer.json()).toMatchObject({ error: { code: 'input/invalid', message: `environment: ${known}.` } });
    expect((await running.perdure('routes', 'show', 'a', '--env', 'produktion')).code).toBe(2);
  });
});

describe('a definition', () => {
  test('is applied for any of the environments in their order, and refused in another or for one not listed', async () => {
    const apply = (environments: string[]) =>
      running.api.apply({ definitions: [into(environments)], plan: true, actor });
    await expect(apply(['development', 'production'])).resolves.toMatchObject({ applied: false });
    await expect(apply(['staging', 'development'])).rejects.toThrow(/promotion.environments: .*list development first/);
    await expect(apply(['development', 'qa'])).rejects.toThrow(
      /promotion.environments\[1\]: there is no environment qa/,
    );
  });

  test('in force that a new check would refuse is warned of, stays, and is refused once it is changed', async () => {
    const definition = into(['development', 'production']);
    const model = definition.name;
    await running.api.apply({ definitions: [definition], plan: false, actor });
    const before = { ...definition, promotion: { ...definition.promotion, environments: ['production', 'staging'] } };
    await changeFacts(running.ownerUrl, async (sql) => {
      await sql`insert into definitions (sha256, model, body)
        values (${digestOf(before)}, ${model}, ${sql.json(before as never)})`;
    });
    await running.db.sql`update models set definition_sha256 = ${digestOf(before)} where name = ${model}`;

    const warned = {
      model,
      path: 'promotion.environments',
      message: expect.stringMatching(/list staging first.*stays in force/) as string,
    };
    const untouched = await running.api.apply({ definitions: [into(['production'])], plan: true, actor });
    expect(untouched.warnings).toContainEqual(warned);
    const again = await running.api.apply({ definitions: [before], plan: false, actor });
    expect(again.definitions).toContainEqual(expect.objectContaining({ model, change: 'unchanged' }));
    expect(again.warnings).toContainEqual(warned);
    const changed = { ...before, description: 'another' };
    await expect(running.api.apply({ definitions: [changed], plan: true, actor })).rejects.toThrow(
      /list staging first/,
    );
  });

  test('in force that is read otherwise than it was applied is named with the places', async () => {
    const definition = into(['production']);
    const model = definition.name;
    await running.api.apply({ definitions: [definition], plan: false, actor });
    const { remindAfterHours: _left, ...promotion } = definition.promotion;
    await changeFacts(running.ownerUrl, async (sql) => {
      const body = sql.json({ ...definition, promotion } as never);
      await sql`update definitions set body = ${body} where model = ${model}`;
    });
    const { warnings } = await running.api.apply({ definitions: [into(['production'])], plan: true, actor });
    expect(warnings).toContainEqual({
      model,
      path: 'promotion.remindAfterHours',
      message: 'is read otherwise than when it was applied',
    });
  });
});

const record = (environment: string) =>
  recordGateway(running.db, { gatewayId: 'g1', environment, url: 'http://127.0.0.1:9', bootId: 'b' });

test('the command line asks the supervisor of the stack for a gateway, waits until it is alive, and sends it away', async () => {
  const started = running.perdure('gateway', 'start', 'development', '--json');
  await pollUntil('the wish', 30_000, () => wantedGateways(home).includes('development') || undefined);
  await record('development');
  expect(await started).toMatchObject({ code: 0, stdout: expect.stringContaining('"live": true') as string });
  const stopped = await running.perdure('gateway', 'stop', 'development');
  expect(stopped).toMatchObject({ code: 0, stdout: expect.stringContaining('stops') as string });
  expect(wantedGateways(home)).toEqual([]);
});

test('a gateway that always runs is not stopped, and one of no environment neither started', async () => {
  const request = { environment: 'production', actor: 'ada@example.org' };
  await expect(running.api.stopGateway(request)).rejects.toThrow('The gateway of production always runs');
  await expect(running.api.startGateway({ ...request, environment: 'qa' })).rejects.toThrow('no environment qa');
  expect(wantedGateways(home)).toEqual([]);
});
