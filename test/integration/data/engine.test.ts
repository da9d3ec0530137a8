import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { checkExpressions } from '../../../adapters/data-engine/expressions/check-expressions.js';
import { createEngine, type Engine, type EngineLimits } from '../../../adapters/data-engine/engine.js';
import { contractSchema } from '../../../domain/data/contract.js';
import { PerdureError } from '../../../domain/errors.js';
import flightDelay from '../../../models/flight-delay/model.js';
import { openSalesBench, salesDefinition, type SalesBench } from './sales-fixture.js';

let bench: SalesBench;
let folder: string;
const engines: Engine[] = [];
beforeAll(async () => {
  bench = await openSalesBench();
  folder = await mkdtemp(path.join(tmpdir(), 'perdure-engine-'));
});
afterEach(() => engines.splice(0).forEach((engine) => engine.end()));
afterAll(async () => {
  await bench.close();
  await rm(folder, { recursive: true, force: true });
});

function engineOf(limits: Partial<EngineLimits> = {}, signal?: AbortSignal): Engine {
  const engine = createEngine({ residentMb: 700, statementMs: 60_000, ...limits }, signal);
  engines.push(engine);
  return engine;
}

const ofProblem = async (work: Promise<unknown>): Promise<PerdureError> => {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof PerdureError)) throw new Error(`expected a PerdureError, got ${String(error)}`);
  return error;
};

describe('an engine', () => {
  it('answers as a session of this process would, errors included', async () => {
    const session = await engineOf().open({ folder, threads: 1, memoryLimitMb: 128 });
    await session.run('CREATE TABLE t (n INTEGER, s VARCHAR)');
    await session.append('t', [
      { type: 'INTEGER', values: [1, 2] },
      { type: 'VARCHAR', values: ['a', 'b'] },
    ]);
    const rows = await session.rows('SELECT n, s FROM t WHERE n > ?', z.object({ n: z.number(), s: z.string() }), [1]);
    expect(rows).toEqual([{ n: 2, s: 'b' }]);
    await expect(session.run('SELECT nothing FROM t')).rejects.toThrow(/^Binder Error/);
    await expect(session.run("SELECT * FROM read_text('/etc/hostname')")).rejects.toThrow(/Permission Error|disabled/);
  });

  it('that takes too much memory is ended, and who asked lives on with as little memory as before', async () => {
    const session = await engineOf().open({ folder, threads: 1, memoryLimitMb: 128 });
    const before = process.memoryUsage.rss();
    const error = await ofProblem(session.run(`SELECT length(lpad('a', 2000000000, 'b'))`));
    expect(error).toMatchObject({
      code: 'expression/limit-exceeded',
      retryable: false,
      message: expect.stringContaining('700 MB') as string,
    });
    expect((process.memoryUsage.rss() - before) / 1024 ** 2).toBeLessThan(200);
    await expect(session.run('SELECT 1')).rejects.toMatchObject({ code: 'expression/limit-exceeded' });
  });

  it('that takes too long for one statement is ended', async () => {
    const session = await engineOf({ statementMs: 500 }).open({ folder, threads: 1, memoryLimitMb: 128 });
    const error = await ofProblem(session.run('SELECT count(*) FROM range(100000000000) AS t(i) WHERE hash(i) = 1'));
    expect(error).toMatchObject({
      code: 'expression/limit-exceeded',
      message: expect.stringContaining('0.5 s') as string,
    });
  });

  it('that is aborted ends with the reason of the signal', async () => {
    const controller = new AbortController();
    const session = await engineOf({}, controller.signal).open({ folder, threads: 1, memoryLimitMb: 128 });
    const asked = session.run('SELECT count(*) FROM range(100000000000) AS t(i) WHERE hash(i) = 1');
    controller.abort(new Error('stop'));
    await expect(asked).rejects.toThrow('stop');
  });
});

describe('a partition that is shaped in an engine', () => {
  it('has the same bytes as one that is shaped here', async () => {
    const here = await bench.validate();
    const there = await bench.validate(
      {},
      { openSession: engineOf({ residentMb: 2000 }).open, workDir: path.join(folder, 'there') },
    );
    expect(there.report).toEqual(here.report);
    expect((await readFile(there.file?.path ?? '')).equals(await readFile(here.file?.path ?? ''))).toBe(true);
  });

  it('and whose expressions take too much memory says which they are', async () => {
    const sales = await bench.write('long-texts', `SELECT * REPLACE (repeat('x', 2000000) AS product) FROM sales`);
    const contract = contractSchema.parse({
      ...salesDefinition.contract,
      features: {
        amount: { type: 'number' },
        odd: { type: 'number', from: `length(concat(${'product, '.repeat(900)} store))` },
      },
    });
    const definition = { ...salesDefinition, contract };
    const shaping = bench.validate(
      { sales: [sales] },
      { definition, openSession: engineOf({ residentMb: 1000 }).open },
    );
    const error = await ofProblem(shaping);
    expect(error.code).toBe('expression/limit-exceeded');
    expect(error.message).toMatch(
      /^contract\.features\.odd\.from.*: Evaluating the definition's expressions needs more than 1000 MB/,
    );
  });
});

describe('definitions that are applied', () => {
  const withFrom = (from: string) => ({
    ...flightDelay,
    contract: {
      ...flightDelay.contract,
      features: { ...flightDelay.contract.features, odd: { type: 'number' as const, nullable: true, from } },
    },
  });

  it('are checked without any data, in a process of their own', async () => {
    expect([...(await checkExpressions([flightDelay]))]).toEqual([[flightDelay.name, { problems: [], warnings: [] }]]);
    const error = await ofProblem(
      checkExpressions([flightDelay, withFrom("length(lpad('a', 2000000000, 'b')) + temprature")]),
    );
    expect(error).toMatchObject({
      code: 'definition/invalid',
      details: { problems: [{ path: 'contract.features.odd.from' }] },
    });
    expect(error.message).toContain('lpad is not allowed');
  });
});
