import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { open, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { eventually } from '../../support/poll-until.js';
import { createTestWorld, exampleRow, inferBody, type TestWorld } from '../../support/gateway-harness.js';

/** A file system of its own is made for the gateway's home, which only an administrator of Linux may. */
const small = ['-t', 'tmpfs', '-o', 'size=6m', 'tmpfs'];
const mayMount = ((): boolean => {
  const folder = mkdtempSync(path.join(tmpdir(), 'perdure-mount-'));
  try {
    execFileSync('mount', [...small, folder], { stdio: 'ignore' });
    execFileSync('umount', [folder]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(folder, { recursive: true });
  }
})();

describe.skipIf(!mayMount)('a gateway whose disk is full', () => {
  let world: TestWorld;
  let home: string;
  beforeEach(async () => {
    world = await createTestWorld();
    home = path.join(world.folder, 'home');
    mkdirSync(home);
    execFileSync('mount', [...small, home]);
    await world.addVersion(1, -1);
    world.controlPlane.route('flight-delay', 1, [{ version: 1, sharePct: 100 }]);
  });
  afterEach(async () => {
    await world.close().catch(() => undefined);
    execFileSync('umount', ['-l', home]);
    rmSync(world.folder, { recursive: true, force: true });
  });

  const filler = () => path.join(home, 'filler');
  const fill = async () => {
    const handle = await open(filler(), 'w');
    const chunk = Buffer.alloc(4096);
    try {
      for (;;) await handle.appendFile(chunk);
    } catch (error) {
      expect(error).toMatchObject({ code: 'ENOSPC' });
    } finally {
      await handle.close();
    }
  };
  const ask = (url: string) =>
    fetch(`${url}/v2/models/flight-delay/infer`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(inferBody([exampleRow])),
    }).then((response) => response.status);
  const askMany = async (url: string) => new Set(await Promise.all(Array.from({ length: 50 }, () => ask(url))));
  const label = { prediction_id: 'p-mwqckfsq-a9299a97-4', label: true, observed_at: '2026-01-01T00:00:00Z' };
  const sendLabel = (url: string) =>
    fetch(`${url}/v1/models/flight-delay/labels`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify([label]),
    }).then((response) => response.status);

  test('answers every request, counts what it cannot log and says so, and logs again by itself when there is room', async () => {
    const { gateway, url } = await world.start({ segmentAgeMaxMs: 200 });
    expect(await ask(url)).toBe(200);
    await fill();
    expect(await askMany(url)).toEqual(new Set([200]));
    await eventually('it says so', async () => {
      await ask(url);
      return !gateway.status().spool.predictions.writable;
    });
    expect(await sendLabel(url)).toBe(503);
    const metrics = await (await fetch(`${url}/metrics`)).text();
    expect(metrics).toMatch(/spool_rows_lost_total\{log="predictions",reason="unwritten",.*\} [1-9]/);
    expect((await fetch(`${url}/v2/health/ready`)).status).toBe(200);
    const kinds = () => [...world.controlPlane.events.values()].map(({ kind }) => kind);
    await eventually('the control plane hears of it', () => kinds().includes('log-lost'));

    rmSync(filler());
    await eventually('it logs again', async () => {
      expect(await ask(url)).toBe(200);
      return gateway.status().spool.predictions.writable;
    });
    expect(await sendLabel(url)).toBe(202);
    await eventually('the control plane hears of that', () => kinds().includes('log-kept'));
    await gateway.stop();
    expect((await readdir(path.join(home, 'spool', 'predictions', 'flight-delay'))).length).toBeGreaterThan(0);
  });

  test('starts again and answers what it answered before', async () => {
    const first = await world.start();
    expect(await ask(first.url)).toBe(200);
    await first.gateway.stop();
    await fill();
    world.controlPlane.away = true;
    const { url } = await world.start();
    expect(await askMany(url)).toEqual(new Set([200]));
    rmSync(filler());
    writeFileSync(filler(), 'room');
  });
});
